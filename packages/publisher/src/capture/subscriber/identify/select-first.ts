import { quoteTable } from "../quote.js";
import { keyList, readKey } from "../key-text.js";
import type { Captured } from "../session.js";
import type { Write, WriteStatement } from "../write.js";
import { keysInWhere } from "./keys-in-where.js";

/**
 * Where the server doesn't return keys: locks and reads the rows that the statement is about to change, by the same WHERE, ORDER BY and
 * LIMIT. A locking read sees what the write will see, also under REPEATABLE READ.
 */
export function selectFirst(op: "update" | "delete") {
  return async (write: Write, statement: WriteStatement): Promise<Captured> => {
    const told = keysInWhere(write.table, statement);
    const keys = told ?? (await lockKeys(write, statement));
    const result = await write.execute(statement.sql, statement.parameters);
    // Keys from the statement's own text: those rows may not be there. Nothing affected, nothing noted.
    const noted = told !== undefined && result.affected === 0 ? [] : keys;
    return { result, notes: noted.map((key) => write.note(op, key)) };
  };
}

/** Locks the rows that an UPDATE or DELETE is about to change and gives their keys. */
export async function lockKeys(write: Write, { where }: WriteStatement): Promise<string[][]> {
  const { builder, table, engine } = write;
  const tail = `${where}${builder.createOrderByExpression?.() ?? ""}${builder.createLimitExpression?.() ?? ""}`;
  const [rest, parameters] = write.resolve(
    `${builder.createCteExpression()}SELECT ${keyList(engine, table.keys)} FROM ${quoteTable(engine, table.table)}${tail} FOR UPDATE`,
  );
  const rows = await write.select(rest, parameters);
  return rows.map((row) => readKey(table.keys, row));
}
