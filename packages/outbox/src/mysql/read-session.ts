import type { Connection } from "mysql2/promise";
import { connectionsTo, endSoon, unavailable, type MysqlConnection } from "./connections.js";

/** READ COMMITTED: a statement sees what is committed when it begins. CHAR comes without its padding. */
const settings = `SET NAMES utf8mb4; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
SET SESSION time_zone = '+00:00', sql_mode = ''`;

/** A session that only reads; opened on first use, and again when it was lost. */
export interface ReadSession {
  use<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function readSession(connection: MysqlConnection): ReadSession {
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
    use: (work) =>
      unavailable(async () =>
        work(
          await (opening ??= open().catch((error: unknown) => {
            opening = undefined;
            throw error;
          })),
        ),
      ),
    async close() {
      const opened = await opening?.catch(() => undefined);
      if (opened) await endSoon(opened);
      await connections.close();
    },
  };
}
