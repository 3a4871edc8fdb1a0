import { own } from "../own-tables/ddl.js";
import type { RunInStep } from "../rows/statements.js";
import type { PostgresTable } from "../tables/postgres-table.js";
import { arrayText } from "../sql/quote.js";

/** Forgets the bases of a table, or of the rows in it that have these texts in these columns of their key. */
export async function dropBases(
  run: RunInStep,
  { name, schema }: PostgresTable,
  only?: Readonly<Record<string, string>>,
): Promise<void> {
  const cells = Object.entries(only ?? {});
  const shared = cells.map(
    ([column], i) => ` and row_key::jsonb ->> ${schema.key.indexOf(column)} = $${i + 2}`,
  );
  const text = `delete from ${own.base} where table_name = $1${shared.join("")}`;
  await run([{ text, values: [name, ...cells.map(([, cell]) => cell)] }]);
}

type Query = (text: string, values: readonly (string | null)[]) => Promise<{ readonly count: number }>;

const basesPerStatement = 10_000;

/** Forgets the bases of tables, some at a time: there may be one for each row. */
export async function dropBasesOf(query: Query, tables: readonly PostgresTable[]): Promise<void> {
  const text = `delete from ${own.base} where ctid = any(array(
    select ctid from ${own.base} where table_name = any($1::text[]) limit ${basesPerStatement}))`;
  const values = [arrayText(tables.map(({ name }) => name))];
  while ((await query(text, values)).count > 0);
}
