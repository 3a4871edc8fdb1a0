import { LockstepError } from "@lockstep/core";
import type pg from "pg";
import { captureMoved } from "../log-term.js";
import type { SnapshotTick } from "./snapshot-tick.js";

// One round trip. Explicitly READ COMMITTED, whatever the session's default: each step of cut() needs a snapshot of its own.
// synchronous_commit for this transaction: a published tick that a crash takes back would be given to other events (PROTOCOL.md 6).
const cutStatement = (s: string): string => `begin isolation level read committed;
set local synchronous_commit = on; set local lock_timeout = '10s';
select tick, events, total, previous, snapshot, went_back, captured, rows from ${s}.cut();
commit`;

const uniqueViolation = "23505";
const lockNotAvailable = "55P03";

/**
 * Cuts a tick when anything new is visible. Durable when it returns. `captured`: how the source was captured when the lead was taken.
 * @throws LockstepError RELAY_FENCED when it is captured in another way by now; SNAPSHOT_WENT_BACK.
 */
export async function cutTick(
  client: pg.ClientBase,
  s: string,
  captured?: string,
): Promise<SnapshotTick | undefined> {
  const [row] = await fenced(async () => {
    const results = (await client.query({
      text: cutStatement(s),
      rowMode: "array",
    })) as unknown as pg.QueryArrayResult<(string | null)[]>[];
    return results[3]!.rows;
  });
  const [n, events, total, previous, snapshot, wentBack, capturedNow, rows] = row!;
  if (captured !== undefined && capturedNow !== captured) throw captureMoved();
  if (wentBack === "t") {
    throw new LockstepError("SNAPSHOT_WENT_BACK", "the source's snapshot is older than the last tick's", {
      details: { last: previous!, now: snapshot! },
    });
  }
  if (n == null) return undefined;
  return {
    n: BigInt(n),
    events: Number(events),
    total: Number(total),
    rows: Number(rows),
    previous: previous!,
    snapshot: snapshot!,
  };
}

async function fenced<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code !== uniqueViolation && code !== lockNotAvailable) throw cause;
    throw new LockstepError("RELAY_FENCED", "another relay cut this tick", { cause });
  }
}
