import {
  type Checkpoint,
  type CheckpointMove,
  type ErrorCode,
  type Fault,
  isLockstepError,
  LockstepError,
  tableId,
} from "@lockstep/core";
import { type Batch, countRows } from "../batch/batch.js";
import { collapse } from "../batch/collapse.js";
import type { Segment } from "../batch/planned-changes.js";
import { arrange } from "./arrange.js";
import type { Ledger } from "./ledger.js";
import { mapSegment } from "./map-segment.js";
import { classifyAny, runStep, type StepRunnerOptions } from "./run-step.js";
import { stagedLine, stagedPages } from "./staged-lines.js";
import type { StepRoom } from "./step-room.js";
import { type Manner, writeBatch, writePages } from "./write-batch.js";
import { release, writeLetters } from "./write-letters.js";
import { hasWaysAside } from "./write-sets.js";

/** What an applier needs. */
export interface ApplierOptions extends StepRunnerOptions {
  readonly checkpoint: Checkpoint;
}

const linesPerStatement = 1000;

/** Takes a target from batch to batch: every method is one or more steps, and the checkpoint moves with the rows (P4). */
export class Applier {
  checkpoint: Checkpoint;
  /** Letters that are over whose waiting letters are still to be released. */
  #unreleased: string[] = [];
  readonly #options: ApplierOptions;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.checkpoint = options.checkpoint;
  }

  /** Makes or checks the tables that a batch needs. */
  learn(batch: Batch): Promise<void> {
    return this.#options.tables.learn(batch.schemas);
  }

  /** Learns the tables that a batch needs and collapses it. */
  async prepare(batch: Batch): Promise<void> {
    await this.learn(batch);
    this.collapse(batch);
  }

  /** Collapses a batch when its tables are known; no I/O. False when they aren't. */
  collapse(batch: Batch): boolean {
    const { tables } = this.#options;
    if (!tables.knows(batch.schemas)) return false;
    batch.segments ??= collapse(batch.parts, tables.schemaOf);
    return true;
  }

  /**
   * Applies a prepared batch. Set-wise first; when the target refuses that, with everything out of each other's way; then row by row
   * where it has to be: only then a row is called bad.
   */
  async apply(batch: Batch, meanwhile?: () => void): Promise<Ledger> {
    const segments = batch.segments ?? [];
    const move = this.#moveTo(batch, countRows(segments));
    const rowsOf = rowCounter(segments);
    const write = (manner: Manner, idle?: () => void): Promise<Ledger> =>
      this.#step(move, rowsOf, (room) => writeBatch(room, segments, manner, idle));
    let code: ErrorCode;
    try {
      return await write("sets", meanwhile);
    } catch (error) {
      code = this.#rowFault(error).code;
    }
    const second = secondManner(code);
    if (second !== undefined && (second === "untied" || this.#hasWaysAside(segments))) {
      try {
        return await write(second);
      } catch (error) {
        this.#rowFault(error);
      }
    }
    return this.#blame(move, rowsOf, (room) => writeBatch(room, segments, "isolate"));
  }

  #hasWaysAside(segments: readonly Segment[]): boolean {
    const { routesOf } = this.#options.tables;
    return hasWaysAside(segments.map((segment) => arrange(mapSegment(segment, routesOf))));
  }

  /** Puts parts of a very large transaction into the staging table: durable, but not visible (PROTOCOL.md 4). */
  async stage(batch: Batch): Promise<Ledger> {
    const { position, total, incarnation } = this.checkpoint;
    const move = {
      from: this.checkpoint,
      to: position,
      total,
      incarnation,
      records: 0,
      stagedThrough: batch.to,
    };
    return this.#step(move, noRows, async ({ transaction }) => {
      for (const { id, events } of batch.parts) {
        for (let i = 0; i < events.length; i += linesPerStatement) {
          const lines = events.slice(i, i + linesPerStatement).map((event) => stagedLine(id, event));
          await transaction.stage(id, lines);
        }
      }
    });
  }

  /** Applies the staged parts and this batch, which ends their transaction, in one step. */
  async applyStaged(batch: Batch): Promise<Ledger> {
    const { tables, limits } = this.#options;
    return this.#blame(this.#moveTo(batch, 0), noRows, async (room) => {
      await writePages(room, stagedPages(room.transaction, tables, limits.maxBatchEvents, batch.parts));
      await room.transaction.clearStaged();
    });
  }

  /** Writes letters that are due and releases what waits for nothing any more. True when there may be more. */
  async writeDueLetters(): Promise<{ readonly ledger: Ledger; readonly more: boolean }> {
    const limit = this.#options.limits.maxLettersPerStep;
    const unreleased = this.#unreleased;
    let due = 0;
    this.#options.tables.forgetProblems();
    const ledger = await this.#blame(this.#stay(), undefined, async (room) => {
      const letters = await room.letters.due(limit);
      due = letters.length;
      await writeLetters(room, letters);
      await release(room, [...unreleased, ...room.ledger.resolved.values()], limit);
    });
    this.#unreleased = [...ledger.unreleased];
    // Large letters come few at a time: only none says that there are no more.
    return { ledger, more: due > 0 || this.#unreleased.length > 0 };
  }

  /** Letters waiting for these will be released with the next letters that are written. */
  releaseNext(blockers: readonly string[]): void {
    for (const id of blockers) if (!this.#unreleased.includes(id)) this.#unreleased.push(id);
  }

  get hasUnreleased(): boolean {
    return this.#unreleased.length > 0;
  }

  /**
   * Reads the checkpoint again: a person may have paused the lane. Who finds that somebody else has moved it (another owner behind a pooler, a
   * restored backup) must not go on from there: what was read from the stream follows on where this lane was.
   * @throws LockstepError TARGET_FENCED.
   */
  async refresh(): Promise<void> {
    const found = await this.#options.session.checkpoint();
    const { position, epoch, stagedThrough } = this.checkpoint;
    if (found?.position !== position || found.epoch !== epoch || found.stagedThrough !== stagedThrough) {
      throw new LockstepError("TARGET_FENCED", "the lane's checkpoint is not where this session left it");
    }
    this.checkpoint = found;
  }

  #moveTo({ to, total, incarnation }: Batch, records: number): CheckpointMove {
    return { from: this.checkpoint, to, total, incarnation, records };
  }

  // Letters move no position; what is staged stays named.
  #stay(): CheckpointMove {
    const { position: to, total, incarnation, stagedThrough } = this.checkpoint;
    const move = { from: this.checkpoint, to, total, incarnation, records: 0 };
    return stagedThrough === undefined ? move : { ...move, stagedThrough };
  }

  /**
   * A step that sets aside what the target refuses. When it refuses something only at the commit, nobody can tell which row it was: the step
   * runs again, with everything checked at once.
   */
  async #blame(
    move: CheckpointMove,
    rowsOf: ((table: string) => number) | undefined,
    work: (room: StepRoom) => Promise<void>,
  ): Promise<Ledger> {
    try {
      return await this.#step(move, rowsOf, work);
    } catch (error) {
      this.#rowFault(error);
      return await this.#step(move, rowsOf, async (room) => {
        if (room.transaction.checkAtOnce === undefined) throw error;
        await room.transaction.checkAtOnce();
        await work(room);
      });
    }
  }

  async #step(
    move: CheckpointMove,
    rowsOf: ((table: string) => number) | undefined,
    work: (room: StepRoom) => Promise<void>,
  ): Promise<Ledger> {
    const { checkpoint, ledger } = await runStep(this.#options, move, rowsOf, work);
    this.checkpoint = checkpoint;
    this.#unreleased.push(...ledger.unreleased);
    return ledger;
  }

  /** What a fault of a row says; throws on what isn't about rows. */
  #rowFault(error: unknown): Fault {
    const fault = classifyAny(this.#options.target, error);
    const isOurs = isLockstepError(error) && error.recovery !== "dead-letter";
    if (isOurs || fault.kind === "systemic") throw error;
    return fault;
  }
}

/** How a batch is tried a second time, when that can help at all. */
function secondManner(code: ErrorCode): Manner | undefined {
  if (code === "TARGET_FOREIGN_KEY" || code === "TARGET_WOULD_CASCADE") return "untied";
  return code === "TARGET_UNIQUE" ? "aside" : undefined;
}

function noRows(): number {
  return 0;
}

function rowCounter(segments: readonly Segment[]): (table: string) => number {
  return (id) => {
    let rows = 0;
    for (const { tables } of segments) {
      for (const t of tables) if (tableId(t.schema) === id) rows += t.writes.length + t.removes.length;
    }
    return rows;
  };
}
