import type { Finding } from "@lockstep/core";
import { clockFinding } from "../../clock-finding.js";
import type { Connections } from "../connections.js";
import type { OutboxNames } from "../outbox-names.js";

/** What every part of an examination works with. */
export interface Look extends OutboxNames {
  readonly connections: Connections;
  readonly capture: "subscriber" | "trigger" | "wal";
}

/** Compares the server's clock with this process's. */
export function examineClock({ connections }: Look): Promise<Finding> {
  return clockFinding(async () => {
    const { rows } = await connections.use((client) =>
      client.query<{ now: string }>("select (extract(epoch from clock_timestamp()) * 1000)::bigint as now"),
    );
    return Number(rows[0]!.now);
  });
}

/** Version and settings that a promise depends on. */
export async function examineServer({ connections, capture }: Look): Promise<readonly Finding[]> {
  const { rows } = await connections.use((client) =>
    client.query<Record<"version" | "fsync" | "recovery", string>>(
      `select current_setting('server_version_num') as version, current_setting('fsync') as fsync,  pg_is_in_recovery()::text as recovery`,
    ),
  );
  const { version, fsync, recovery } = rows[0]!;
  const major = Math.floor(Number(version) / 10_000);
  const oldest = capture === "wal" ? 14 : 13;
  const findings: Finding[] = [
    major < oldest
      ? {
          check: "source.version",
          level: "error",
          subject: "source",
          message: `PostgreSQL ${major} is too old for this capture`,
          advice: `Use PostgreSQL ${oldest} or newer.`,
        }
      : { check: "source.version", level: "ok", subject: "source", message: `PostgreSQL ${major}` },
  ];
  if (fsync === "off") {
    findings.push({
      check: "source.durability",
      level: "warning",
      subject: "fsync",
      message: "is off: a crash of the server's machine may take back what was already published",
      advice: "Turn fsync on for data that matters.",
    });
  }
  if (recovery === "true") {
    findings.push({
      check: "source.role",
      level: "error",
      subject: "source",
      message: "this server is a standby: nothing can be captured here",
      advice: "Name the primary.",
    });
  }
  return findings;
}

/** Whether the role may do with the outbox what a relay does. */
export async function examineOutbox({ connections, s, table }: Look): Promise<readonly Finding[]> {
  const { rows } = await connections.use((client) =>
    client.query<{ table: string; lacks: string }>(
      `select t.name as table, string_agg(r.name, ', ') as lacks
         from unnest(array[$2, 'tick', 'table_schema', 'target', 'state']) t(name),
              unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r(name)
        where not has_table_privilege(format('%s.%I', $1::text, t.name), r.name) group by t.name`,
      [s, table],
    ),
  );
  return rows.length === 0
    ? [
        {
          check: "source.rights",
          level: "ok",
          subject: "outbox",
          message: "the relay's role may do all it needs",
        },
      ]
    : rows.map(({ table, lacks }) => ({
        check: "source.rights",
        level: "error",
        subject: table,
        message: `the relay's role lacks ${lacks} on this table`,
        advice: "Grant them, or give the relay the URL of a role that has them.",
      }));
}
