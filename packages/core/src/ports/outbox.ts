import type { CaptureKind } from "../capture-kind.js";
import type { Position } from "../position.js";
import type { TableSchema } from "../table-schema.js";

/**
 * The part of a database session that capture needs: it runs one statement in the application's open transaction and
 * gives the driver's rows. `parameters` bind to `$1…` (PostgreSQL) or `?` (MySQL).
 */
export type RunStatement = (
  sql: string,
  parameters?: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>;

/** A row that a transaction touched: which, not how. Its image is read by the database at the flush. */
export interface RowNote {
  readonly table: { readonly namespace: string; readonly name: string };
  readonly op: "insert" | "update" | "delete";
  /** Texts of the primary key's columns, in key order, as the database prints them. */
  readonly key: readonly string[];
  /** The previous key when this write changed it. */
  readonly before?: readonly string[];
}

/** What is known of a transaction beside its rows. */
export interface TransactionNote {
  readonly traceparent?: string;
  readonly origin?: string;
  /** Ids of the only targets that the rows are for. Default: all. */
  readonly audience?: readonly string[];
}

/** How a source is captured, as it is kept in the source. */
export interface KeptCapture {
  readonly kind: CaptureKind;
  /** While the source changes over: the kind before. Processes may start with either. */
  readonly from?: CaptureKind;
  /**
   * While the log of `from` is still the one that is read. `beside`: the other one is made ready beside it; `turned`: it ends where the other
   * one begins, and is read to its end. Absent: the log of `kind` is read.
   */
  readonly stage?: "beside" | "turned";
  /** With `turned`: where the log of `from` ends; absent as long as nobody has read that far. */
  readonly end?: Position;
}

/** Where a log ends, and how many events lie before. */
export interface LogEnd {
  readonly end: Position;
  readonly total: number;
}

/**
 * The outbox while a source's changes go over from it to the database's own log, or back (PROTOCOL.md 27). Positions go on: what comes after is
 * above what was before, so that targets don't notice. All of `run` is one session.
 */
export interface OutboxHandOver {
  /**
   * Runs `work` while no other session runs work of this outbox by this function: the session's own lock says so, and ends with it. `undefined` when
   * another one still does after `waitMs`.
   */
  alone<T>(
    run: RunStatement,
    waitMs: number,
    work: () => Promise<T>,
  ): Promise<{ readonly result: T } | undefined>;
  /**
   * Runs `work` in one transaction in which nobody else writes to the outbox, cuts a tick, registers a target or changes how the source is captured. Writers
   * are held up, so it gives up after `lockTimeoutMs` of waiting: `undefined`, and nothing has happened.
   */
  hold<T>(
    run: RunStatement,
    lockTimeoutMs: number,
    work: () => Promise<T>,
  ): Promise<{ readonly result: T } | undefined>;
  /** Within `hold`: puts what was written so far into the last tick. */
  cutLast(run: RunStatement): Promise<LogEnd>;
  /** Within `hold`: the other log has all that was written so far; forgets it here, and marks in that log where it ends. */
  markEnd(run: RunStatement): Promise<void>;
  /** Within a transaction: goes on behind `end`, with what was written since {@link markEnd}. */
  goOn(run: RunStatement, end: LogEnd): Promise<void>;
  /** Writes an event that changes nothing: a target that has applied it has applied all before. */
  writeBarrier(run: RunStatement): Promise<void>;
  /** Above every position of the outbox so far; what is written from now on is at or above it. */
  reach(run: RunStatement): Promise<bigint>;
  /** Following targets that have not applied everything up to and including `position`, by name, with where they are. */
  behind(run: RunStatement, position: Position): Promise<readonly string[]>;
  /**
   * Tables with rows of the last `windowMs` that a trigger wrote and no process of the application: while both capture, each change is there twice.
   */
  seenByTriggersAlone(run: RunStatement, windowMs: number): Promise<readonly string[]>;
  /** Jobs of this source that are running or paused, as texts for a person. */
  liveJobs(run: RunStatement): Promise<readonly string[]>;
  /** Runs `work` in a transaction in which nobody registers a target or changes how the source is captured. */
  inTransaction(run: RunStatement, work: () => Promise<void>): Promise<void>;
}

/**
 * The outbox as the application's transaction sees it. One per engine.
 *
 * Contract of `append`: runs in the open transaction of `run`; locks what it reads (PROTOCOL.md 8); reads the images with
 * pinned text settings and the column list of the catalog (PROTOCOL.md 12); writes one outbox row per distinct row noted, in the
 * order of its *last* note: an image when the row exists now, a delete when it doesn't and a note says it ever did; nothing of a
 * row that was inserted and deleted inside. Any failure throws: the transaction must not commit.
 */
export interface OutboxWriter {
  /**
   * Makes tables and functions if they are missing or older; safe to run at every start and from several processes at once. Who writes meanwhile waits for
   * a moment only: an upgrade that other transactions keep waiting makes way, and is tried again for a while.
   * @throws LockstepError CAPTURE_INSTALL_WAITS, naming them.
   */
  ensure(run: RunStatement): Promise<void>;
  /** Removes everything. @throws LockstepError CAPTURE_INSTALL_WAITS, naming them, when other transactions keep it waiting. */
  remove(run: RunStatement): Promise<void>;
  /** @throws LockstepError OUTBOX_MISSING when `ensure` or the migration never ran. */
  check(run: RunStatement): Promise<void>;
  /** Its part when the source's capture changes from one log to another. */
  readonly handOver: OutboxHandOver;
  /** How the source is captured; `undefined` when no process has said so yet. */
  readCapture(run: RunStatement): Promise<KeptCapture | undefined>;
  /** Keeps how the source is captured, whatever was kept before. */
  keepCapture(run: RunStatement, capture: KeptCapture): Promise<void>;
  /** Whether a target is registered, so that the source's changes are on their way to somebody. */
  hasTargets(run: RunStatement): Promise<boolean>;
  /** Catalog of the tables named; @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY naming all of them that have none. Registers their schemas. */
  describe(
    run: RunStatement,
    tables: readonly RowNote["table"][],
    /** Says that `run` may be rolled back: nothing that it makes in the database may be relied on later. Default false. */
    options?: { readonly inTransaction?: boolean },
  ): Promise<readonly TableSchema[]>;
  /** @returns how many outbox rows were written. @throws LockstepError OUTBOX_WRITE_FAILED (cause: the driver's error). */
  append(run: RunStatement, notes: readonly RowNote[], transaction: TransactionNote): Promise<number>;
  /**
   * What `append` would run, as one statement with its values as literals, so that it can travel with the COMMIT behind it in one message.
   * Absent where the engine or its driver can't send two statements at once.
   */
  appendStatement?(notes: readonly RowNote[], transaction: TransactionNote): string;
  /**
   * The statement that writes the image of one row if it is there, to be run behind the row's update in the same message and transaction.
   * It fails with the SQLSTATE `moved`, and takes the update along, where a trigger may have given the row another key. Absent as above.
   */
  appendUpdated?(
    note: Pick<RowNote, "table" | "key">,
    transaction: TransactionNote,
  ): { readonly sql: string; readonly parameters: readonly (string | null)[]; readonly moved: string };
  /**
   * An SQL expression for the rows that an INSERT gives back: true where the database keeps the keys that INSERTs give, in this table and until this transaction
   * ends or a definition of its own comes. Absent where an engine doesn't say.
   */
  keepsKeys?(table: RowNote["table"]): string;
}
