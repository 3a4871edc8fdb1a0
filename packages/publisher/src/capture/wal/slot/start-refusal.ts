import { LockstepError } from "@lockstep/core";
import { unavailable, type Connections } from "@lockstep/outbox/postgres";
import type pg from "pg";
import { readLogState } from "./log-state.js";

const objectInUse = "55006";
const notInState = "55000";
const undefinedObject = "42704";

/**
 * Ends a reader that still has the slot. Only the leader asks: the one before may be on a machine that is gone, and the server would wait
 * for it for a minute.
 */
export async function endOtherReader(connections: Connections, slot: string): Promise<void> {
  await connections.use((client) =>
    client.query(
      "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active and active_pid is not null",
      [slot],
    ),
  );
}

/**
 * Runs what begins to read a slot; says why the server refuses, and closes the connection then.
 * @throws LockstepError RELAY_FENCED when another reader has the slot; CAPTURE_LOG_LOST when it is gone; SOURCE_UNAVAILABLE.
 */
export async function startRefusal<T>(
  connections: Connections,
  s: string,
  client: pg.Client,
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await unavailable(start);
  } catch (error) {
    client.end().catch(() => undefined);
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === objectInUse) {
      throw new LockstepError("RELAY_FENCED", "another relay reads this source's log", { cause: error });
    }
    if (code === notInState || code === undefinedObject) await connections.use((c) => readLogState(c, s));
    throw error;
  }
}
