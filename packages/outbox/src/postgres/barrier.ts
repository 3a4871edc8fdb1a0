import { positionOf, type Position } from "@lockstep/core";
import type pg from "pg";
import { awaitTick } from "../await-tick.js";
import { refuseEnded } from "../log-term.js";
import type { Connections } from "./connections.js";
import { readKept } from "./kept-query.js";
import { quoteText } from "./quote.js";

/**
 * The end of a tick that holds everything committed by now. Nothing is written: a tick is a snapshot, so the first one that shows all that is
 * visible at this moment is the answer, and where nothing is uncut the last one already does.
 * @throws LockstepError CAPTURE_CHANGED when another log has what is committed, or is about to.
 */
export async function barrierOf(connections: Connections, s: string, timeoutMs: number): Promise<Position> {
  const now = await connections.use(async (client) => {
    refuseEnded(await readKept(client, s), "outbox");
    const { rows } = await client.query<{ now: string }>("select pg_current_snapshot()::text as now");
    return rows[0]!.now;
  });
  return awaitTick(
    () =>
      connections.use(async (client) => {
        const position = await tickThatShows(client, s, now);
        // Only then: where the log has ended meanwhile its outbox was emptied, and shows all without any of it in a tick.
        refuseEnded(await readKept(client, s), "outbox");
        return position;
      }),
    timeoutMs,
  );
}

/** The last tick's end, when it shows all that `now` shows of the outbox. */
async function tickThatShows(client: pg.ClientBase, s: string, now: string): Promise<Position | undefined> {
  const snapshot = `${quoteText(now)}::pg_snapshot`;
  // Two statements, the look for uncut rows first: a tick cut in between may hold what the look no longer found.
  const results = (await client.query(
    `select ${s}.unread() as unread;
select t.n, t.events, pg_snapshot_xmax(t.snapshot) >= pg_snapshot_xmax(${snapshot})
   and not exists (select from pg_snapshot_xip(t.snapshot) x where pg_visible_in_snapshot(x, ${snapshot})) as shows
  from ${s}.tick t order by t.n desc limit 1`,
  )) as unknown as pg.QueryResult<Record<string, string>>[];
  const [tick] = results[1]!.rows;
  const isThere = results[0]!.rows[0]!["unread"] === "f" || tick?.["shows"] === "t";
  return tick && isThere ? positionOf(BigInt(tick["n"]!), BigInt(tick["events"]!)) : undefined;
}
