import { type CheckpointMove, LockstepError } from "@lockstep/core";
import { answersBeforeFailure, type Session } from "../session/session.js";
import { sqlState } from "../wire/sql-state.js";
import type { Answer, Command } from "../wire/pipeline.js";
import {
  type CheckpointRow,
  countRecords,
  type LaneName,
  moveCheckpoint,
  readCheckpoint,
} from "./checkpoint-row.js";

const savepointName = (depth: number): string => `lockstep_${depth}`;

/**
 * The open transaction of a step. **Maintained invariant**: its first statement is the compare-and-set of the checkpoint.
 * BEGIN, the compare-and-set and everything about savepoints wait for the next statement and share its round trip.
 */
export class OpenTransaction {
  readonly #session: Session;
  readonly #lane: LaneName;
  #waiting: Command[];
  /** True once anything was sent: there is something to roll back. */
  #sent = false;
  #depth = 0;
  #moved: CheckpointRow | undefined;
  #failure: unknown;
  /** The compare-and-set failed: whatever a caller catches, nothing more is sent. */
  #refused = false;
  readonly #onFailure: () => void;

  constructor(
    session: Session,
    lane: LaneName,
    move: CheckpointMove,
    onFailure: () => void = () => undefined,
  ) {
    this.#session = session;
    this.#lane = lane;
    this.#onFailure = onFailure;
    this.#waiting = [{ text: "begin", prepared: true }, moveCheckpoint(lane, move)];
  }

  /** True once the server has been told of it. */
  get isBegun(): boolean {
    return this.#sent;
  }

  /** Runs statements in one round trip; their answers. Throws the driver's error, or LockstepError TARGET_FENCED. */
  async run(commands: readonly Command[]): Promise<readonly Answer[]> {
    if (this.#refused) throw this.#failure;
    const waiting = this.#waiting;
    this.#waiting = [];
    const first = !this.#sent;
    this.#sent = true;
    try {
      const answers = await this.#session.run([...waiting, ...commands]);
      if (first) this.#moved = movedBy(answers);
      return answers.slice(waiting.length);
    } catch (error) {
      if (this.#refused) throw this.#failure;
      const completed = answersBeforeFailure(error);
      if (first) this.#moved = movedBy(completed);
      this.#refused = this.#moved === undefined;
      this.#failure =
        this.#refused && completed.length === 1 && sqlState(error) === "22P02" ? fenced(error) : error;
      throw this.#failure;
    }
  }

  /** Runs `work` behind a savepoint; rolls back to it when it throws, and throws on. */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const name = savepointName(++this.#depth);
    this.#waiting.push({ text: `savepoint ${name}`, prepared: true });
    try {
      return await work();
    } catch (error) {
      this.#onFailure();
      this.#waiting.push({ text: `rollback to savepoint ${name}`, prepared: true });
      throw error;
    } finally {
      this.#waiting.push({ text: `release savepoint ${name}`, prepared: true });
      this.#depth--;
    }
  }

  /** Adds to the records that the checkpoint counts. */
  async countRecords(more: number): Promise<void> {
    const [answer] = await this.run([countRecords(this.#lane, more)]);
    this.#moved = readCheckpoint(answer!.rows[0]!);
  }

  /** Commits. Throws the driver's error; whether an error without an SQLSTATE came before or after the commit is unknown. */
  async commit(): Promise<CheckpointRow> {
    const [answer] = await this.run([{ text: "commit", prepared: true }]);
    // A failed statement outside of a savepoint, whose error somebody swallowed: the server has rolled back.
    if (answer!.tag !== "COMMIT") throw this.#failure;
    return this.#moved!;
  }

  /** Rolls back. Never throws: on a broken connection the server does it by itself. */
  async rollback(): Promise<void> {
    this.#waiting = [];
    if (!this.#sent) return;
    await this.#session.run([{ text: "rollback", prepared: true }]).catch(() => undefined);
  }
}

// The answers of the first round trip: BEGIN, the compare-and-set, and whatever came along.
function movedBy(answers: readonly Answer[]): CheckpointRow | undefined {
  const row = answers[1]?.rows[0];
  return row === undefined ? undefined : readCheckpoint(row);
}

function fenced(cause: unknown): LockstepError {
  return new LockstepError("TARGET_FENCED", "the lane's checkpoint is not where this session left it", {
    cause,
  });
}
