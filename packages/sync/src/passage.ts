import { setTimeout as sleep } from "node:timers/promises";
import {
  type ChangeLog,
  type Checkpoint,
  comparePositions,
  LockstepError,
  type Position,
  type Target,
} from "@lockstep/core";

/** Waits until a target has applied everything that its source had committed when it was asked. */
export type Pass = (signal?: AbortSignal) => Promise<void>;

/** What a passage goes through. */
export interface PassageOptions {
  readonly source: string;
  readonly log: Pick<ChangeLog, "barrier" | "incarnation">;
  readonly target: Pick<Target, "name" | "checkpoints">;
  /** How long a lane may take, ms. */
  readonly timeoutMs: number;
}

const firstPauseMs = 2;
const maxPauseMs = 100;

/** A passage through the stream. @throws LockstepError RELAY_SILENT, TARGET_BEHIND, when it takes too long. */
export function passage({ source, log, target, timeoutMs }: PassageOptions): Pass {
  return async (signal) => {
    const until = performance.now() + timeoutMs;
    const position = await log.barrier(timeoutMs);
    const incarnation = await log.incarnation();
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
      signal?.throwIfAborted();
      const lanes = (await target.checkpoints()).filter((lane) => lane.source === source);
      if (hasPassed(lanes, position, incarnation)) return;
      if (performance.now() > until) throw behind(target.name, source, lanes.length, timeoutMs);
      await sleep(pauseMs);
    }
  };
}

/** Positions of another source say nothing, however high they are (PROTOCOL.md 11). */
function hasPassed(
  lanes: readonly Pick<Checkpoint, "position" | "incarnation">[],
  position: Position,
  incarnation: string,
): boolean {
  const has = (lane: Pick<Checkpoint, "position" | "incarnation">): boolean =>
    lane.incarnation === incarnation && comparePositions(lane.position, position) >= 0;
  return lanes.length > 0 && lanes.every(has);
}

function behind(target: string, source: string, lanes: number, timeoutMs: number): LockstepError {
  const what =
    lanes === 0
      ? `${target} has no lane of ${source}`
      : `${target} has not applied within ${timeoutMs} ms what ${source} had committed`;
  return new LockstepError("TARGET_BEHIND", what);
}
