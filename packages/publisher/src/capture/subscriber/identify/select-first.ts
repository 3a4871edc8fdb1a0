import { quoteTable } from "../quote.js";
import { keyList, readKey } from "../key-text.js";
import type { Captured } from "../session.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { keyInWhere } from "./key-in-where.js";

/**
 * Where the server doesn't return keys: locks and reads the rows that the statement is about to change, by the same WHERE, ORDER BY and
 * LIMIT. A locking read sees what the write will see, also under REPEATABLE READ.
 */
export function selectFirst(op: "update" | "delete") {
  return async (write: BuilderWrite, statement: WriteStatement): Promise<Captured> => {
    const told = keyInWhere(write.engine, write.table, statement);
    const keys = told ? [told] : await lockKeys(write, statement);
    const result = await write.execute(statement.sql, statement.parameters);
    // A key from the statement's own text: that row may not be there.
    const noted = told && result.affected === 0 ? [] : keys;
    return { result, notes: noted.map((key) => write.note(op, key)) };
  };
}

/** Locks the rows that an UPDATE or DELETE is about to change and gives their keys. */
export async function lockKeys(write: BuilderWrite, { where }: WriteStatement): Promise<string[][]> {
  const { builder, table, engine } = write;
  const tail = `${where}${builder.createOrderByExpression?.() ?? ""}${builder.createLimitExpression?.() ?? ""}`;
  const [rest, parameters] = write.resolve(
    `${builder.createCteExpression()}SELECT ${keyList(engine, table.keys)} FROM ${quoteTable(engine, table.table)}${tail} FOR UPDATE`,
  );
  const rows = await write.select(rest, parameters);
  return rows.map((row) => readKey(table.keys, row));
}
