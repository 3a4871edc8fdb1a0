import type { ChangeLog } from "@lockstep/core";
import type mysql from "mysql2/promise";
import { unavailable, type Connections } from "./connections.js";
import { quoteText } from "./quote.js";

type Leadership = Awaited<ReturnType<ChangeLog["lead"]>>;

/** Takes the session lock that says who cuts ticks, on a connection of its own: when that ends, the lock is free. */
export async function tryToLead(connections: Connections, prefix: string): Promise<Leadership> {
  const connection = await connections.open();
  const lost = new Promise<void>((resolve) => {
    connection.once("end", () => resolve());
    connection.once("error", () => resolve());
  });
  return unavailable(async () => {
    // Locks are the server's, not the database's, and their names are short.
    const name = `CONCAT('lockstep ', LEFT(SHA2(CONCAT(DATABASE(), ' ', ${quoteText(prefix)}), 256), 40))`;
    const [rows] = await connection.query<mysql.RowDataPacket[][]>(`SELECT GET_LOCK(${name}, 0)`);
    if (Number(rows[0]?.[0]) === 1) return { lost, release: () => connection.end() };
    await connection.end();
    return undefined;
  });
}
