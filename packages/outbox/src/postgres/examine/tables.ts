import type { Finding } from "@lockstep/core";
import type { Look } from "./server.js";

interface Row {
  readonly table: string;
  readonly keyless: string;
  readonly deferred: string | null;
  readonly captured: string;
}

/**
 * The tables of the schemas that captured tables live in: those that aren't captured, have no primary key, or have constraints whose
 * checks come after the flush (PROTOCOL.md 9).
 */
export async function examineTables({ connections, s, schema }: Look): Promise<readonly Finding[]> {
  const { rows } = await connections.use((client) =>
    client.query<Row>(
      `with known as (
  select distinct c.oid, c.relnamespace from ${s}.table_schema k join pg_class c on c.oid = k.rel
)
select format('%I.%I', n.nspname, c.relname) as table,
       not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) as keyless,
       (select string_agg(o.conname, ', ') from pg_constraint o where o.conrelid = c.oid and o.condeferred) as deferred,
       c.oid in (select oid from known) as captured
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and not c.relispartition and n.oid in (select relnamespace from known) and n.nspname <> $1
 order by 1`,
      [schema],
    ),
  );
  const findings = rows.flatMap(findingsOf);
  const captured = rows.filter((row) => row.captured === "t").length;
  findings.push(
    captured === 0
      ? {
          check: "capture.tables",
          level: "error",
          subject: "source",
          message: "no table is captured yet",
          advice: "Start the application with the publisher once, or install the triggers.",
        }
      : {
          check: "capture.tables",
          level: "ok",
          subject: "source",
          message: `${captured} table(s) are captured`,
        },
  );
  return findings;
}

function findingsOf({ table, keyless, deferred, captured }: Row): Finding[] {
  if (captured !== "t") {
    return [
      {
        check: "capture.tables",
        level: "warning",
        subject: table,
        message: keyless === "t" ? "is not captured, and has no primary key" : "is not captured",
        advice: "Name it for capture if targets are to have it; else leave it.",
      },
    ];
  }
  if (deferred === null) return [];
  return [
    {
      check: "capture.deferred",
      level: "warning",
      subject: table,
      message: `has constraints that are checked at the commit (${deferred}): capture makes them immediate when it flushes`,
      advice: "Make them INITIALLY IMMEDIATE where the application can do without.",
    },
  ];
}
