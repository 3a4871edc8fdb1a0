import { convertText, type KeyPage, type TableSchema } from "@lockstep/core";
import { quoteName, quoteTable } from "../sql/quote.js";
import { type Query, readCatalog } from "../tables/catalog.js";

/** Keys of the rows that the target holds of a source's table, in key order behind `after`, in the source's texts. */
export async function listKeys(
  query: Query,
  namespace: string,
  schema: TableSchema,
  { after, limit }: { readonly after?: readonly string[]; readonly limit: number },
): Promise<KeyPage> {
  const table = (await readCatalog(query, namespace, [schema.name])).get(schema.name);
  const columns = schema.key.map((name) => ({
    source: schema.columns.find((column) => column.name === name)!,
    here: table?.columns.find((column) => column.name === name),
  }));
  if (table === undefined || columns.some(({ here }) => here === undefined)) return { keys: [] };
  const names = columns.map(({ here }) => `t.${quoteName(here!.name)}`).join(", ");
  const given = columns.map(({ here }, i) => `$${i + 1}::${here!.castType}`).join(", ");
  const texts = columns.map(({ here }) => `t.${quoteName(here!.name)}::text`).join(", ");
  const behind = after === undefined ? "" : `where (${names}) > (${given})`;
  const { rows } = await query(
    `select ${texts} from ${quoteTable(table.namespace, table.name)} t ${behind} order by ${names} limit ${limit}`,
    (after ?? []).map((text, i) => convertText(schema.engine, "postgres", columns[i]!.source, text)),
  );
  const keys = rows.map((row) =>
    row.map((text, i) => convertText("postgres", schema.engine, columns[i]!.source, text ?? "")),
  );
  return keys.length < limit ? { keys } : { keys, next: keys.at(-1)! };
}
