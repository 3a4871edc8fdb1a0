import { keyRows } from "../key-rows.js";
import { readKey } from "../key-text.js";
import { quoteName, quoteTable } from "../quote.js";
import type { BuilderWrite, WriteStatement } from "../write.js";

/** Above this many rows the statement keeps its own WHERE: MySQL takes statements of 16 MB. */
const maxListedRows = 100_000;
const marker = "/* the rows that are locked */";

type Locked = WriteStatement & Required<Pick<WriteStatement, "locked">>;

/**
 * Locks the rows that an UPDATE or DELETE is about to change, by its own WHERE, ORDER BY and LIMIT, and restricts it to them. A locking
 * read sees what the write will see, also under REPEATABLE READ.
 *
 * Restricted, because asked twice the same WHERE may choose other rows: LIMIT without an order, `now()`, `rand()`, or under READ COMMITTED
 * a row that another transaction has just committed. Such a row would change without a note.
 */
export async function lockRows(write: BuilderWrite, statement: WriteStatement): Promise<Locked> {
  if (statement.locked) return { ...statement, locked: statement.locked };
  const { builder, table, engine } = write;
  const limit = builder.createLimitExpression?.() ?? "";
  const tail = `${statement.where}${builder.createOrderByExpression?.() ?? ""}${limit}`;
  const [text, values] = write.resolve(
    `${builder.createCteExpression()}SELECT ${table.keyList} FROM ${quoteTable(engine, table.table)}${tail} FOR UPDATE`,
  );
  const locked = (await write.select(text, values)).map((row) => readKey(table.keys, row));
  if (listable(write, locked)) return { ...statement, ...restricted(write, locked), locked };
  if (limit !== "") write.refuse("a LIMIT whose rows can't be listed by key");
  return { ...statement, locked };
}

// MySQL: a float's text may not find it again, nor a TIMESTAMP's in the hour that the clock is put back.
function listable({ engine, table }: BuilderWrite, locked: readonly unknown[]): boolean {
  if (locked.length > maxListedRows) return false;
  return engine === "postgres" || table.keys.every(({ kind }) => kind !== "float" && kind !== "timestamptz");
}

function restricted(
  write: BuilderWrite,
  locked: readonly (readonly string[])[],
): Pick<WriteStatement, "sql" | "parameters"> {
  const { engine } = write;
  const { keys } = write.table;
  const [sql, parameters] = write.rebuilt(` WHERE ${marker}`);
  if (locked.length === 0) return { sql: sql.replace(marker, "1 = 0"), parameters };
  const { list, parameters: more } = keyRows(engine, keys, locked, parameters.length);
  const names = keys.map(({ name }) => quoteName(engine, name)).join(", ");
  return { sql: sql.replace(marker, () => `(${names}) IN (${list})`), parameters: [...parameters, ...more] };
}
