import type { TableReader } from "@lockstep/core";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { connectionsTo, endSoon, unavailable, type MysqlConnection } from "./connections.js";

/** READ COMMITTED: a statement sees what is committed when it begins. CHAR comes without its padding. */
const settings = `SET NAMES utf8mb4; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
SET SESSION time_zone = '+00:00', sql_mode = ''`;

/** Reads a MySQL or MariaDB source. Connects on first use, and again when the connection was lost. */
export function mysqlReader(connection: MysqlConnection): TableReader {
  const connections = connectionsTo(connection);
  let opening: Promise<Connection> | undefined;
  const open = async (): Promise<Connection> => {
    const opened = await connections.open();
    const forget = (): void => void (opening = undefined);
    opened.on("error", forget).on("end", forget);
    await opened.query(settings);
    return opened;
  };
  return {
    engine: "mysql",
    rows: (sql) =>
      unavailable(async () => {
        const opened = await (opening ??= open().catch((error: unknown) => {
          opening = undefined;
          throw error;
        }));
        const typeCast = (field: { string(): string | null }): string | null => field.string();
        const [rows] = await opened.query<RowDataPacket[][]>({ sql, rowsAsArray: true, typeCast });
        return rows as unknown as (string | null)[][];
      }),
    async close() {
      const opened = await opening?.catch(() => undefined);
      if (opened) await endSoon(opened);
      await connections.close();
    },
  };
}
