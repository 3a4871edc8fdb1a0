import { LockstepError, type Checkpoint, type CheckpointMove, type TargetTransaction } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { beginByMoving, readCheckpoint, type CheckpointRow, type LaneId } from "./checkpoint-row.js";
import { openTransaction, type TransactionPlace } from "./lane-transaction.js";

/** What a step needs beside the lane's session. */
export interface StepPlace extends TransactionPlace {
  /** A session of its own, for the question after an ambiguous COMMIT. */
  connect(): Promise<Session>;
}

/** One transaction of a lane: checkpoint first, then the work, then COMMIT. */
export async function runStep(
  place: StepPlace,
  move: CheckpointMove,
  work: (transaction: TargetTransaction) => Promise<void>,
): Promise<Checkpoint> {
  const { session, lane } = place;
  let moved: CheckpointRow;
  try {
    moved = await begin(session, lane, move);
    const { transaction, whole, counted } = openTransaction(place);
    await work(transaction);
    const { checkpoint, steps } = moved;
    moved = { checkpoint: { ...checkpoint, recordsSynced: checkpoint.recordsSynced + counted() }, steps };
    // A server that rolled the transaction back by itself would now commit whatever came after that.
    whole();
  } catch (error) {
    await rollBack(session);
    throw error;
  }
  await commit(place, moved);
  return moved.checkpoint;
}

async function begin(session: Session, lane: LaneId, move: CheckpointMove): Promise<CheckpointRow> {
  const moved = await beginByMoving(session, lane, move, Date.now());
  if (moved !== undefined) return moved;
  throw fenced(lane);
}

function fenced(lane: LaneId): LockstepError {
  return new LockstepError("TARGET_FENCED", `another session owns lane ${lane.source}/${lane.partition}`);
}

async function commit(place: StepPlace, moved: CheckpointRow): Promise<void> {
  try {
    await place.session.write("COMMIT");
  } catch (error) {
    place.session.drop();
    if (!(await landed(place, moved))) throw error;
  }
}

// The reply to a COMMIT is lost: done or not? The count of steps knows (a position needn't have moved). FOR UPDATE waits until the server
// has ended the old transaction.
async function landed(place: StepPlace, moved: CheckpointRow): Promise<boolean> {
  const session = await place.connect();
  try {
    const found = await readCheckpoint(session, place.lane, "lock");
    if (found?.checkpoint.epoch !== moved.checkpoint.epoch) throw fenced(place.lane);
    return found.steps >= moved.steps;
  } finally {
    await session.close();
  }
}

async function rollBack(session: Session): Promise<void> {
  try {
    await session.write("ROLLBACK");
  } catch {
    // Without an answer nobody knows where the session stands; ending it rolls back.
    session.drop();
  }
}
