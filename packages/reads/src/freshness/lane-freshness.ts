import { comparePositions, LockstepError, parsePosition, type Position, type Target } from "@lockstep/core";
import { oneAtATime } from "../one-at-a-time.js";
import type { Freshness } from "./freshness.js";

/** The source as its publisher knows it. */
export interface LaneSource {
  /** Name of the source. */
  readonly source: string;
  /** How many lanes a target has of it; known for certain since the first `barrier`. */
  readonly partitions: number;
  /** Where everything lies that was committed before the call, in which history of the source. Throws when nobody can say in time. */
  barrier(): Promise<{ readonly position: Position; readonly incarnation: string }>;
}

/** The parts of a target that say how far its lanes are. */
export type LaneTarget = Pick<Target, "name" | "checkpoints" | "close">;

/**
 * Freshness of a target that Lockstep's lanes write: their checkpoints move in the transaction of the rows, so they say exactly what is there. Rows that are set
 * aside as dead letters are not. A target that isn't seeded lacks the rows that are older than the capture, wherever its lanes are: it isn't read from.
 */
export function laneFreshness(of: LaneSource, target: LaneTarget): Freshness {
  return freshnessOf(of, target, (lanes) => {
    if (lanes.every(({ seeded }) => seeded)) return;
    throw new LockstepError("REPLICA_UNSEEDED", `the target "${target.name}" isn't seeded`);
  });
}

/** The same of the changes that its lanes bring, whether or not the target has what is older than those: what a barrier asks. */
export function laneProgress(of: LaneSource, target: LaneTarget): Freshness {
  return freshnessOf(of, target, () => undefined);
}

type Lanes = Awaited<ReturnType<LaneTarget["checkpoints"]>>;

function freshnessOf(of: LaneSource, target: LaneTarget, refuse: (lanes: Lanes) => void): Freshness {
  const { source } = of;
  const ask = oneAtATime(() => of.barrier());
  const checkpoints = oneAtATime(() => target.checkpoints());
  return {
    space: `lane:${source}`,
    async mark() {
      const { position, incarnation } = await ask();
      return `${position} ${incarnation}`;
    },
    async has(mark) {
      const { position, incarnation } = readMark(mark);
      const { partitions } = of;
      const lanes = (await checkpoints()).filter(
        (lane) => lane.source === source && lane.partition < partitions,
      );
      refuse(lanes);
      return (
        lanes.length === partitions &&
        lanes.every(
          (lane) => lane.incarnation === incarnation && comparePositions(lane.position, position) >= 0,
        )
      );
    },
    close: () => target.close(),
  };
}

function readMark(mark: string): { readonly position: Position; readonly incarnation: string } {
  const space = mark.indexOf(" ");
  try {
    return { position: parsePosition(mark.slice(0, space)), incarnation: mark.slice(space + 1) };
  } catch (cause) {
    throw new LockstepError("READ_TOKEN_INVALID", "the token holds no place of a source", { cause });
  }
}
