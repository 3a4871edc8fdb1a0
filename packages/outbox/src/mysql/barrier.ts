import type { Position } from "@lockstep/core";
import { awaitTick } from "../await-tick.js";
import type { Connections, MysqlSession } from "./connections.js";
import type { TableNames } from "./ddl.js";

/**
 * The end of a tick by which everything committed by now is cut. Nothing is written: rows that no tick has are seen, and gone from there
 * together with the tick that took them.
 */
export async function barrierOf(
  connections: Connections,
  { outbox }: TableNames,
  top: (session: MysqlSession) => Promise<Position>,
  timeoutMs: number,
): Promise<Position> {
  const [newest] = await connections.use((session) =>
    session.rows(`SELECT MAX(id) FROM ${outbox} WHERE tick = 0`),
  );
  const last = newest?.[0] ?? 0;
  return awaitTick(
    () =>
      connections.use(async (session) => {
        const uncut = await session.rows(`SELECT 1 FROM ${outbox} WHERE tick = 0 AND id <= ${last} LIMIT 1`);
        // Only then the top: read before, it might lie before the tick that took them.
        return uncut.length === 0 ? top(session) : undefined;
      }),
    timeoutMs,
  );
}
