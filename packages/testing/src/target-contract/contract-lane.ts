import {
  type Checkpoint,
  type LaneSession,
  type LetterWrite,
  type Position,
  positionOf,
  splitPosition,
  type Target,
  type TargetTable,
  type TargetTransaction,
} from "@lockstep/core";
import { eventually } from "../eventually.js";
import type { ContractTable } from "./contract-table.js";

/** A lane as the suite drives it: it remembers its checkpoint and moves one tick a step. */
export interface ContractLane {
  readonly session: LaneSession;
  checkpoint: Checkpoint;
  /** Position the next step moves to. */
  next(): Position;
  /** One step; the checkpoint moves on by a tick. */
  step(work: (transaction: TargetTransaction) => Promise<void>): Promise<Checkpoint>;
  table(table: ContractTable): Promise<TargetTable>;
  close(): Promise<void>;
}

/** Incarnation of the suite's source. */
export const incarnation = "contract-source";

/** Opens a lane and registers it at `0-0` when it is new. A server frees the lane of a session it has killed a moment later. */
export async function openLane(target: Target, source: string, partition = 0): Promise<ContractLane> {
  return driveLane(
    await eventually(() => target.lane({ source, partition }), { what: "the lane to be free" }),
  );
}

async function driveLane(session: LaneSession): Promise<ContractLane> {
  const known = await session.checkpoint();
  const lane: ContractLane = {
    session,
    checkpoint: known ?? (await session.register({ position: "0-0", incarnation })),
    next: () => positionOf(splitPosition(lane.checkpoint.position).tick + 1n, 1),
    step: async (work) => {
      const move = {
        from: lane.checkpoint,
        to: lane.next(),
        total: lane.checkpoint.total + 1,
        incarnation,
        records: 1,
      };
      return (lane.checkpoint = await session.step(move, work));
    },
    table: async ({ schema }) => (await session.tables([schema]))[0]!,
    close: async () => session[Symbol.asyncDispose](),
  };
  return lane;
}

/** A letter with everything filled in that a test doesn't care about. */
export function letterWrite(table: ContractTable, key: string, rest: Partial<LetterWrite> = {}): LetterWrite {
  return {
    table: table.id,
    key,
    op: "update",
    position: "1-1",
    ordinal: 1,
    schema: table.schema.fingerprint,
    state: "retrying",
    code: "TARGET_CHECK",
    rawError: "refused",
    attempts: 1,
    maxAttempts: 5,
    dueAt: 1_000,
    ...rest,
  };
}
