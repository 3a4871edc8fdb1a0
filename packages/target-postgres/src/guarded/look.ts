import { type RowLook, rowLook } from "@lockstep/core";
import { own } from "../own-tables/ddl.js";
import { keyArrays } from "../rows/keys.js";
import { matches, rowSource } from "../rows/row-source.js";
import type { RunInStep } from "../rows/statements.js";
import type { PostgresTable } from "../tables/postgres-table.js";

import { baseHashes, readPrint, rowPrint } from "./row-print.js";

/** Locks the rows of these keys and compares them with their bases, all in the database: only what differs travels. */
export async function look(
  run: RunInStep,
  table: PostgresTable,
  keys: readonly string[],
  images: "changed" | "all",
): Promise<readonly RowLook[]> {
  if (keys.length === 0) return [];
  const values = keyArrays(table, keys);
  const [, compared] = await run([
    // Keys in their order: two lanes, or a lane and the target's own writers, that lock in different orders would meet in a deadlock.
    { text: table.once("lock rows", lockRows), values, prepared: true },
    // The next statement sees what the locks have waited for.
    {
      text: table.once(`compare ${images}`, (table) => compareRows(table, images)),
      values: [...values, baseHashes(table, keys), table.name],
      prepared: true,
    },
  ]);
  return compared!.rows.map((row) => readLook(table, row));
}

function lockRows(table: PostgresTable): string {
  const source = rowSource(table.key);
  const order = table.key.map(({ quoted }) => `t.${quoted}`).join(", ");
  return `select from ${table.quoted} t join ${source.from} on ${matches(table.key, source.values)} order by ${order} for no key update of t`;
}

function compareRows(table: PostgresTable, images: "changed" | "all"): string {
  const width = table.key.length;
  const source = rowSource(table.key);
  const [hash, name] = [`$${width + 1}`, `$${width + 2}`];
  const there = `t.${table.key[0]!.quoted} is not null`;
  const isSame = "q.print is not distinct from q.base and q.decided is null";
  const print = images === "all" ? "q.print" : `case when not (${isSame}) then q.print end`;
  // "offset 0" keeps the print from being made once for each place it stands in.
  return `select q.there, ${isSame}, ${print}, case when not (${isSame}) then q.base end, q.decided from (
    select s.n, ${there} as there, b.image as base, b.decided, case when ${there} then ${rowPrint(table)} end as print
    from ${source.numbered}
    join unnest(${hash}::text[]) with ordinality as h(hash, n) on h.n = s.n
    left join ${table.quoted} t on ${matches(table.key, source.values)}
    left join ${own.base} b on b.table_name = ${name} and b.row_hash = h.hash offset 0) q order by q.n`;
}

function readLook(table: PostgresTable, row: readonly (string | null)[]): RowLook {
  const [there, same, print, base, decided] = row;
  const found = { isThere: there === "t", isSame: same === "t", print, base, decided };
  return rowLook(table.schema, found, (text) => readPrint(table, text));
}
