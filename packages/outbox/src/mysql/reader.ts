import type { TableReader } from "@lockstep/core";
import type { RowDataPacket } from "mysql2/promise";
import type { MysqlConnection } from "./connections.js";
import { readSession } from "./read-session.js";

/** Reads a MySQL or MariaDB source. Connects on first use, and again when the connection was lost. */
export function mysqlReader(connection: MysqlConnection): TableReader {
  const session = readSession(connection);
  return {
    engine: "mysql",
    rows: (sql) =>
      session.use(async (opened) => {
        const typeCast = (field: { string(): string | null }): string | null => field.string();
        const [rows] = await opened.query<RowDataPacket[][]>({ sql, rowsAsArray: true, typeCast });
        return rows as unknown as (string | null)[][];
      }),
    close: session.close,
  };
}
