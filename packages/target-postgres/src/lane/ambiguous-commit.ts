import { type CheckpointMove, LockstepError } from "@lockstep/core";
import { own } from "../own-tables/ddl.js";
import { Session, type SessionOptions } from "../session/session.js";
import { sqlState } from "../wire/sql-state.js";
import { type CheckpointRow, checkpointColumns, type LaneName, readCheckpoint } from "./checkpoint-row.js";

/**
 * True when an error of a COMMIT doesn't say whether it took place: the connection broke, or the server ended the session
 * (perhaps while it waited for a standby, when the transaction was committed here already). Every other SQLSTATE is a refusal.
 */
export function isAmbiguous(error: unknown): boolean {
  if (error instanceof LockstepError) return false;
  const state = sqlState(error);
  return state === undefined || /^(?:08|53|57|58|XX)/.test(state);
}

/**
 * Asks on a new connection whether the step is in: its checkpoint then, `undefined` when it isn't. FOR UPDATE waits for the
 * transaction in doubt, as long as the server still works on it (PROTOCOL.md 14).
 * @throws LockstepError TARGET_FENCED when another session owns the lane by now.
 */
export async function commitLanded(
  options: SessionOptions & { readonly lane: LaneName },
  move: CheckpointMove,
  steps: bigint,
): Promise<CheckpointRow | undefined> {
  const session = await Session.open(options);
  try {
    const { rows } = await session.query(
      `select ${checkpointColumns} from ${own.checkpoint} where source = $1 and partition = $2 for update`,
      [options.lane.source, String(options.lane.partition)],
    );
    const found = rows[0] === undefined ? undefined : readCheckpoint(rows[0]);
    if (found?.checkpoint.epoch !== move.from.epoch) {
      throw new LockstepError("TARGET_FENCED", "another session took the lane over");
    }
    return found.steps >= steps ? found : undefined;
  } finally {
    await session.close();
  }
}
