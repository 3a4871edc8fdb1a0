import type { TableSchema } from "@lockstep/core";
import type { MysqlSession } from "./connections.js";
import type { TableNames } from "./ddl.js";

/** Every schema that was ever described to the outbox, oldest first. */
export async function readSchemas(session: MysqlSession, names: TableNames): Promise<TableSchema[]> {
  const rows = await session.rows(`SELECT fingerprint, definition FROM ${names.tableSchema} ORDER BY id`);
  return [...new Map(rows.map((row) => [row[0], JSON.parse(String(row[1])) as TableSchema])).values()];
}
