import type { BaseKept } from "@lockstep/core";
import { own } from "../own-tables/ddl.js";
import { keyArrays } from "../rows/keys.js";
import { matches, rowSource } from "../rows/row-source.js";
import type { RunInStep } from "../rows/statements.js";
import { arrayText } from "../sql/quote.js";
import type { PostgresTable } from "../tables/postgres-table.js";
import { baseHashes, rowPrint } from "./row-print.js";

/** Makes what lies under these keys now their base: read by the database itself, so that it compares equal until somebody changes it. */
export async function keepBases(
  run: RunInStep,
  table: PostgresTable,
  rows: readonly BaseKept[],
): Promise<void> {
  if (rows.length === 0) return;
  const keys = rows.map(({ key }) => key);
  const decided = rows.map((row) => row.decided ?? null);
  await run([
    {
      text: table.once("keep bases", keep),
      values: [
        ...keyArrays(table, keys),
        baseHashes(table, keys),
        arrayText(keys),
        arrayText(decided),
        table.name,
      ],
      prepared: true,
    },
  ]);
}

function keep(table: PostgresTable): string {
  const width = table.key.length;
  const source = rowSource(table.key);
  const [hashes, keys, decided, name] = [1, 2, 3, 4].map((i) => `$${width + i}`);
  const there = `t.${table.key[0]!.quoted} is not null`;
  return `insert into ${own.base} as b (table_name, row_hash, row_key, image, decided, deleted_at)
    select ${name}, h.hash, h.key, case when ${there} then ${rowPrint(table)} end, h.decided, case when not (${there}) then clock_timestamp() end
    from ${source.numbered}
    join unnest(${hashes}::text[], ${keys}::text[], ${decided}::text[]) with ordinality as h(hash, key, decided, n) on h.n = s.n
    left join ${table.quoted} t on ${matches(table.key, source.values)}
    on conflict (table_name, row_hash) do update set image = excluded.image, decided = excluded.decided, deleted_at = excluded.deleted_at`;
}
