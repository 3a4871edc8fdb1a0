import type { Position } from "@lockstep/core";
import { awaitTick } from "../await-tick.js";
import { refuseEnded } from "../log-term.js";
import type { Connections, MysqlSession } from "./connections.js";
import type { TableNames } from "./ddl.js";
import { readKept } from "./kept-query.js";

/**
 * The end of a tick by which everything committed by now is cut. Nothing is written: rows that no tick has are seen, and gone from there
 * together with the tick that took them.
 * @throws LockstepError CAPTURE_CHANGED when another log has what is committed, or is about to.
 */
export async function barrierOf(
  connections: Connections,
  names: TableNames,
  top: (session: MysqlSession) => Promise<Position>,
  timeoutMs: number,
): Promise<Position> {
  const { outbox } = names;
  const [newest] = await connections.use(async (session) => {
    refuseEnded(await readKept(session, names), "outbox");
    return session.rows(`SELECT MAX(id) FROM ${outbox} WHERE tick = 0`);
  });
  const last = newest?.[0] ?? 0;
  return awaitTick(
    () =>
      connections.use(async (session) => {
        const uncut = await session.rows(`SELECT 1 FROM ${outbox} WHERE tick = 0 AND id <= ${last} LIMIT 1`);
        // Only then the top: read before, it might lie before the tick that took them.
        const position = uncut.length === 0 ? await top(session) : undefined;
        // Only then: where the log has ended meanwhile its outbox was emptied, and nothing of it is in a tick.
        refuseEnded(await readKept(session, names), "outbox");
        return position;
      }),
    timeoutMs,
  );
}
