import type { Finding } from "@lockstep/core";
import type { Look } from "./server.js";

interface Row {
  readonly level: string;
  readonly may: string;
  readonly slots: string;
  readonly used: string;
  readonly senders: string;
  readonly bare: string | null;
}

/** What capture by the write-ahead log needs. */
export async function examineLog({ connections, s }: Look): Promise<readonly Finding[]> {
  const { rows } = await connections.use((client) =>
    client.query<Row>(
      `select current_setting('wal_level') as level,
       (select rolreplication or rolsuper from pg_roles where rolname = current_user)::text as may,
       current_setting('max_replication_slots') as slots, (select count(*) from pg_replication_slots) as used,
       current_setting('max_wal_senders') as senders,
       (select string_agg(distinct format('%I.%I', n.nspname, c.relname), ', ')
          from ${s}.table_schema k join pg_class c on c.oid = k.rel join pg_namespace n on n.oid = c.relnamespace
         where c.relreplident not in ('f') and c.reltoastrelid <> 0) as bare`,
    ),
  );
  const { level, may, slots, used, senders, bare } = rows[0]!;
  const findings: Finding[] = [];
  const say = (
    bad: boolean,
    subject: string,
    message: string,
    advice: string,
    severity: "error" | "warning" = "error",
  ) =>
    findings.push(
      bad
        ? { check: "capture.wal", level: severity, subject, message, advice }
        : { check: "capture.wal", level: "ok", subject, message: "is as it should be" },
    );
  say(level !== "logical", "wal_level", `is ${level}`, "Set wal_level = logical and restart the server.");
  say(may !== "true", "role", "may not replicate", "ALTER ROLE … REPLICATION.");
  say(
    Number(slots) - Number(used) < 1,
    "max_replication_slots",
    `${used} of ${slots} slots are in use: catching up a lagging target needs one more`,
    "Raise max_replication_slots.",
    "warning",
  );
  say(Number(senders) < 2, "max_wal_senders", `is ${senders}`, "Set max_wal_senders to 4 or more.");
  say(
    bare !== null,
    "replica identity",
    `large values that an update leaves alone are not in the log for: ${bare}`,
    "ALTER TABLE … REPLICA IDENTITY FULL.",
    "warning",
  );
  return findings;
}
