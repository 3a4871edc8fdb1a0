import {
  type Checkpoint,
  type CheckpointMove,
  type ConflictsKept,
  type LaneSession,
  type LetterState,
  LockstepError,
  type TableSchema,
  type TargetOptions,
  type TargetTable,
  type TargetTransaction,
} from "@lockstep/core";
import { pruneVersions } from "../guarded/versions.js";
import { dropBasesOf } from "../guarded/drop-bases.js";
import { pruneConflicts } from "../guarded/prune-conflicts.js";
import { countLetters } from "../letters/count.js";
import { overdueLetters } from "../letters/overdue.js";
import { pruneLetters } from "../letters/prune.js";
import { own } from "../own-tables/ddl.js";
import { Session, type SessionOptions } from "../session/session.js";
import { postgresTable } from "../tables/postgres-table.js";
import { LaneTables, type TableOptions } from "../tables/lane-tables.js";
import { type CheckpointRow, checkpointColumns, type LaneName, readCheckpoint } from "./checkpoint-row.js";
import { LaneTransaction } from "./lane-transaction.js";
import { OpenTransaction } from "./open-transaction.js";
import { commitLanded, isAmbiguous } from "./ambiguous-commit.js";
import { beat, defaultPulse, endWhenSilent, type LanePulse } from "./lane-pulse.js";

/** What a lane's session needs to open itself, and another connection after an ambiguous commit. */
export interface LaneOptions extends TableOptions, SessionOptions, Pick<TargetOptions, "announce"> {
  readonly lane: LaneName;
  /** Default: every 3 s, 20 s. */
  readonly pulse?: LanePulse;
}

/**
 * The session that owns a lane. **Maintained invariants**: the lane's advisory lock is held by this very connection, so that
 * SIGKILL frees it at once (PROTOCOL.md 28); every row is written in a transaction that has moved the checkpoint first (14).
 */
export class PostgresLane implements LaneSession {
  readonly #options: LaneOptions;
  readonly #session: Session;
  readonly #tables: LaneTables;
  /** The step under way. */
  #step: OpenTransaction | undefined;
  /** Steps made so far; known while this session owns the lane. */
  #steps = 0n;

  private constructor(options: LaneOptions, session: Session) {
    this.#options = options;
    this.#session = session;
    this.#tables = new LaneTables(session, options);
  }

  /** `undefined` while another session owns the lane. */
  static async open(options: LaneOptions): Promise<PostgresLane | undefined> {
    const session = await Session.open(options);
    try {
      const { rows } = await session.query(
        "select pg_try_advisory_lock(hashtextextended('lockstep lane ' || $1, 0))",
        [JSON.stringify([options.lane.source, options.lane.partition])],
      );
      if (rows[0]?.[0] === "t") {
        const lane = new PostgresLane(options, session);
        const pulse = options.pulse ?? defaultPulse;
        await session.run([endWhenSilent(pulse)]);
        await lane.#takeOver();
        beat(session, pulse, () => lane.#step?.isBegun ?? false);
        return lane;
      }
      await session.close();
      return undefined;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  get lost(): Promise<void> {
    return this.#session.lost;
  }

  // Waits for the row while a dead owner's transaction is still open; after that its epoch moves nothing any more.
  async #takeOver(): Promise<void> {
    this.#remember(
      await this.#session.query(
        `update ${own.checkpoint} set epoch = epoch + 1 where source = $1 and partition = $2 returning ${checkpointColumns}`,
        this.#key,
      ),
    );
  }

  async checkpoint(): Promise<Checkpoint | undefined> {
    return this.#remember(
      await this.#session.query(
        `select ${checkpointColumns} from ${own.checkpoint} where source = $1 and partition = $2`,
        this.#key,
      ),
    );
  }

  async register(start: Pick<Checkpoint, "position" | "incarnation">): Promise<Checkpoint> {
    const made = this.#remember(
      await this.#session.query(
        `insert into ${own.checkpoint} (source, partition, position, epoch, incarnation) values ($1, $2, $3, 1, $4)
         on conflict do nothing returning ${checkpointColumns}`,
        [...this.#key, start.position, start.incarnation],
      ),
    );
    if (made === undefined) throw new LockstepError("TARGET_FENCED", "the lane is registered already");
    return made;
  }

  async tables(schemas: readonly TableSchema[]): Promise<readonly TargetTable[]> {
    return this.#tables.prepare(schemas);
  }

  async step(
    move: CheckpointMove,
    work: (transaction: TargetTransaction) => Promise<void>,
  ): Promise<Checkpoint> {
    const doubt = (): void => this.#tables.doubt();
    await this.#tables.refresh();
    const open = new OpenTransaction(this.#session, this.#options.lane, move, doubt);
    this.#step = open;
    try {
      await work(new LaneTransaction(open, this.#options.lane, this.#tables, this.#options));
    } catch (error) {
      doubt();
      await open.rollback();
      throw error;
    } finally {
      this.#step = undefined;
    }
    const done = await this.#commit(open, move);
    this.#steps = done.steps;
    return done.checkpoint;
  }

  async #commit(open: OpenTransaction, move: CheckpointMove): Promise<CheckpointRow> {
    try {
      return await open.commit();
    } catch (error) {
      if (!isAmbiguous(error)) {
        await open.rollback();
        throw error;
      }
      // What this connection still knows is of no use, and its lock must not outlive the doubt.
      this.#session.destroy();
      const landed = await commitLanded(this.#options, move, this.#steps + 1n);
      if (landed === undefined) throw error;
      return landed;
    }
  }

  dropBases(tables: readonly TargetTable[]): Promise<void> {
    return dropBasesOf((text, values) => this.#session.query(text, values), tables.map(postgresTable));
  }

  pruneVersions(keepMs: number, limit: number): Promise<number> {
    return pruneVersions((text, values) => this.#session.query(text, values), keepMs, limit);
  }

  pruneConflicts(kept: ConflictsKept): Promise<number> {
    return pruneConflicts((text, values) => this.#session.query(text, values), this.#options.lane, kept);
  }

  letterCounts(): Promise<Readonly<Record<LetterState, number>>> {
    return countLetters((text, values) => this.#session.query(text, values), this.#options.lane);
  }

  overdueLetters(
    before: number,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly attempts: number; readonly dueAt: number }[]> {
    return overdueLetters(
      (text, values) => this.#session.query(text, values),
      this.#options.lane,
      before,
      limit,
    );
  }

  pruneLetters(before: number, limit: number): Promise<number> {
    return pruneLetters(
      (text, values) => this.#session.query(text, values),
      this.#options.lane,
      before,
      limit,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The server ends a session a moment after its client has gone; whoever waits for the lane gets it now.
    if (this.#session.isOpen)
      await this.#session.query("select pg_advisory_unlock_all()").catch(() => undefined);
    await this.#session.close();
  }

  get #key(): readonly string[] {
    return [this.#options.lane.source, String(this.#options.lane.partition)];
  }

  #remember({
    rows: [row],
  }: {
    readonly rows: readonly (readonly (string | null)[])[];
  }): Checkpoint | undefined {
    if (row === undefined) return undefined;
    const { checkpoint, steps } = readCheckpoint(row);
    this.#steps = steps;
    return checkpoint;
  }
}
