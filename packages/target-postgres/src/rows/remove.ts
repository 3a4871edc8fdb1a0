import { WouldCascadeError } from "../classify.js";
import { quoteName, quoteTable } from "../sql/quote.js";
import type { CatalogForeignKey } from "../tables/catalog.js";
import { isSame, type PostgresTable } from "../tables/postgres-table.js";
import type { Answer, Command } from "../wire/pipeline.js";
import { keyArrays } from "./keys.js";
import { matches, rowSource } from "./row-source.js";
import type { RunInStep } from "./statements.js";

/**
 * Deletes rows by key. Where a foreign key of the target would pass the delete on, referencing rows are looked for first:
 * what the target's own cascade changes no event brings back (PROTOCOL.md 16).
 * @throws WouldCascadeError
 */
export async function removeRows(
  run: RunInStep,
  table: PostgresTable,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  await refuseReferenced(run, table, keys);
  await run([{ text: table.once("delete", deleteRows), values: keyArrays(table, keys), prepared: true }]);
}

/** @throws WouldCascadeError when deleting these rows would set a foreign key of the target in motion. */
export async function refuseReferenced(
  run: RunInStep,
  table: PostgresTable,
  keys: readonly string[],
): Promise<void> {
  const values = keyArrays(table, keys);
  await refuseCascades(run, table, (foreignKey) => ({
    text: referencedKeys(table, foreignKey),
    values,
    prepared: true,
  }));
}

/**
 * Empties a table. TRUNCATE where no foreign key points to it (it would need CASCADE there), as the source did: like there, a reader
 * whose snapshot is older may see the table empty.
 */
export async function truncateTable(
  run: RunInStep,
  table: PostgresTable,
  only?: Readonly<Record<string, string>>,
): Promise<void> {
  if (only !== undefined) return removeShare(run, table, only);
  const others = table.catalog.referencedBy.filter(({ child }) => !isSame(child, table.catalog));
  if (others.length === 0) {
    await run([{ text: `truncate ${table.quoted}` }]);
    return;
  }
  await refuseCascades(run, table, (foreignKey) => ({ text: anyReference(table, foreignKey) }));
  await run([{ text: `delete from ${table.quoted}` }]);
}

/** Deletes the rows with these cells: others share the table. */
async function removeShare(
  run: RunInStep,
  table: PostgresTable,
  only: Readonly<Record<string, string>>,
): Promise<void> {
  const columns = table.columns.filter(({ name }) => name in only);
  const values = columns.map(({ name }) => only[name]!);
  const inShare = (of: string): string =>
    columns.map(({ quoted, catalog }, i) => `${of}.${quoted} = $${i + 1}::${catalog.castType}`).join(" and ");
  await refuseCascades(run, table, (foreignKey) => ({
    text: shareReference(table, foreignKey, inShare),
    values,
  }));
  await run([{ text: `delete from ${table.quoted} t where ${inShare("t")}`, values }]);
}

async function refuseCascades(
  run: RunInStep,
  table: PostgresTable,
  search: (foreignKey: CatalogForeignKey) => Command,
): Promise<void> {
  if (table.cascading.length === 0) return;
  const answers: readonly Answer[] = await run(table.cascading.map(search));
  const found = table.cascading.find((_, i) => answers[i]!.rows.length > 0);
  if (found !== undefined) throw new WouldCascadeError(found.name);
}

function deleteRows(table: PostgresTable): string {
  const source = rowSource(table.key);
  return `delete from ${table.quoted} t using ${source.from} where ${matches(table.key, source.values)}`;
}

/** Finds a row that references one of the keys; one that is deleted itself doesn't count. */
function referencedKeys(table: PostgresTable, foreignKey: CatalogForeignKey): string {
  const source = rowSource(table.key);
  const itself = isSame(foreignKey.child, table.catalog)
    ? ` and not exists (select from ${rowSource(table.key, 1, "d").from} where ${table.key
        .map(({ quoted }, i) => `c.${quoted} = ${rowSource(table.key, 1, "d").values[i]!}`)
        .join(" and ")})`
    : "";
  return `select 1 from ${source.from} join ${table.quoted} t on ${matches(table.key, source.values)}
    join ${childOf(foreignKey)} c on ${references(foreignKey)} where true${itself} limit 1`;
}

/** Finds a row that references one of a share's rows; one of the share itself doesn't count. */
function shareReference(
  table: PostgresTable,
  foreignKey: CatalogForeignKey,
  inShare: (of: string) => string,
): string {
  const itself = isSame(foreignKey.child, table.catalog) ? ` and not (${inShare("c")})` : "";
  return `select 1 from ${table.quoted} t join ${childOf(foreignKey)} c on ${references(foreignKey)} where ${inShare("t")}${itself} limit 1`;
}

function anyReference(table: PostgresTable, foreignKey: CatalogForeignKey): string {
  if (isSame(foreignKey.child, table.catalog)) return "select 1 where false";
  return `select 1 from ${table.quoted} t join ${childOf(foreignKey)} c on ${references(foreignKey)} limit 1`;
}

function childOf({ child }: CatalogForeignKey): string {
  return quoteTable(child.namespace, child.name);
}

function references({ child, parent }: CatalogForeignKey): string {
  return child.columns
    .map((column, i) => `c.${quoteName(column)} = t.${quoteName(parent.columns[i]!)}`)
    .join(" and ");
}
