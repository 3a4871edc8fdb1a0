import { quoteName, quoteTable } from "../quote.js";
import type { TableShape } from "../table-shape.js";

const row = "lockstep_row";
const block = "lockstep_write";

/**
 * `write`, but not for a row that its UPDATE has not written. MariaDB fires the AFTER trigger also for a row that UPDATE IGNORE passes over, because a unique value is
 * taken or a foreign key has no other side: NEW is what it was to become then. Only where such a column was to change is the row looked at, in a statement
 * of its own, as the server resolves each one anew for every row. Locked, as this UPDATE has it: a snapshot could show an older one. Pure.
 */
export function unlessPassedOver({ schema, keyColumns, refusable }: TableShape, write: string): string {
  const keys = keyColumns.map(({ name }) => name);
  const same = (columns: readonly string[], left: string, right: string): string =>
    columns.map((name) => `${left}.${quoteName(name)} <=> ${right}.${quoteName(name)}`).join(" AND ");
  const exists = (where: string): string =>
    `EXISTS (SELECT 1 FROM ${quoteTable(schema)} ${row} WHERE ${where} LOCK IN SHARE MODE)`;
  const columns = [...new Set([...keys, ...refusable])];
  return `${block}: BEGIN
IF NOT (${same(columns, "NEW", "OLD")}) THEN
IF NOT (${exists(same(columns, row, "NEW"))} AND (${same(keys, "NEW", "OLD")} OR NOT ${exists(same(keys, row, "OLD"))})) THEN
LEAVE ${block};
END IF;
END IF;
${write};
END`;
}
