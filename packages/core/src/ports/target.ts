import type { RowImage } from "../change-event.js";
import type { ErrorCode } from "../errors.js";
import type { Position } from "../position.js";
import type { TableSchema } from "../table-schema.js";
import type { BulkLoader, HeldLane } from "./bulk.js";
import type { ConflictDesk, ConflictsKept } from "./conflict-desk.js";
import type { GuardedRows } from "./guarded-rows.js";
import type { RowNote, RunStatement } from "./outbox.js";
import type { HeldRows } from "./held-rows.js";
import type { TableReader } from "./table-reader.js";
import type { DeadLetter, DeadLetterDetail, LetterDesk, LetterState } from "./dead-letters.js";

/** How far a lane is, kept in the target in the same transaction as the rows (P4). */
export interface Checkpoint {
  readonly position: Position;
  /** Counts ownerships: a lane that finds another number has been fenced out (PROTOCOL.md 14). */
  readonly epoch: number;
  /** Source identity the position belongs to. */
  readonly incarnation: string;
  readonly total: number;
  /** Rows written since the lane was registered; not those that were set aside, before their letters apply. */
  readonly recordsSynced: number;
  readonly lastSyncAt?: number;
  /** True once a full sync has copied older rows. */
  readonly seeded: boolean;
  /** Position of the last part that lies in the staging table, when a very large transaction is under way (PROTOCOL.md 4). */
  readonly stagedThrough?: Position;
  /** A person paused this lane. */
  readonly paused: boolean;
  /** How often the lane was put where a full sync begins ({@link Target.restart}): positions of before say nothing about those since. */
  readonly restarts: number;
}

/** A source table as this target holds it. */
export interface TargetTable {
  readonly schema: TableSchema;
  /** The target's own name of it, for messages. */
  readonly name: string;
  /** Fingerprint-independent ids (`namespace.name` at the source) of tables that this one's foreign keys point to, itself left out. */
  readonly parents: readonly string[];
  /** True when a foreign key of the table points to itself. */
  readonly selfReferencing: boolean;
  /** True when the table has UNIQUE constraints beside its primary key. */
  readonly hasSecondaryUnique: boolean;
  /** The columns of its primary key in the target's own order, which may be another one than the schema's. */
  readonly keyOrder?: readonly string[];
  /** True when the target wants to know each change's place at the source. Default false: it costs a little. */
  readonly wantsPositions?: boolean;
}

/** A row to write: an image in the order of its table's schema. */
export interface RowWrite {
  readonly key: string;
  readonly image: RowImage;
  /** The image as JSON text, when all its cells are known and nobody has parsed it yet: `image` does so when it is first read. */
  readonly text?: string;
  /** JSON key before, when the change moved it: the write is an UPDATE of the key (PROTOCOL.md 16). */
  readonly before?: string;
  /** Place of the newest change in it at the source, when the table wants positions. */
  readonly position?: Position;
}

/** What an error of the target means. */
export type Fault =
  /** The target as a whole: connection, time-out, deadlock, serialization, disk, read-only, too many connections. Nobody's attempt is burned. */
  | { readonly kind: "systemic"; readonly code: ErrorCode; readonly about?: string }
  /** These rows. `about` names a constraint or column. */
  | { readonly kind: "row"; readonly code: ErrorCode; readonly about?: string };

/** A letter as the lane writes it. `dueAt` belongs to `retrying`, `waitingFor` to `waiting`. */
export interface LetterWrite {
  readonly table: string;
  readonly key: string;
  readonly op: "insert" | "update" | "delete" | "snapshot";
  readonly position: Position;
  readonly ordinal: number;
  readonly schema: string;
  readonly image?: string;
  readonly before?: string;
  /** The row's version in two-way sync, as the event has it. */
  readonly version?: string;
  readonly state: Extract<LetterState, "retrying" | "waiting" | "dead">;
  readonly code: ErrorCode;
  readonly about?: string;
  readonly rawError: string;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly dueAt?: number;
  readonly waitingFor?: string;
}

/**
 * One open transaction of a lane. Every method throws the driver's error as it is; {@link Target.classify} says what it means.
 * After an error the transaction must be rolled back, or to a savepoint.
 */
export interface TargetTransaction {
  /** Writes rows set-wise: exactly the row with that primary key is inserted or updated, never another one by a secondary unique key. Unknown cells (`0`) keep the target's value. Keys are distinct. */
  upsert(table: TargetTable, rows: readonly RowWrite[]): Promise<void>;
  /**
   * Deletes by key; keys that aren't there are no error. Cascades never fire: when one would, it throws an error that classifies as
   * `TARGET_WOULD_CASCADE`. `positions`, when the table wants them, name each change's place at the source.
   */
  remove(table: TargetTable, keys: readonly string[], positions?: readonly Position[]): Promise<void>;
  /** Empties a table without cascades; with `only`, of it only the rows that have these texts in these columns (others share the table). */
  truncate(table: TargetTable, only?: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Moves the secondary unique values of these rows aside inside the transaction, so that a set whose final state is valid can be written in any
   * order (PROTOCOL.md 17). The rows must all be written or removed before the commit.
   */
  moveUniqueAside(table: TargetTable, keys: readonly string[]): Promise<void>;
  /** From now on each statement checks what the target would otherwise check at the commit. Absent: it checks nothing there. */
  checkAtOnce?(): Promise<void>;
  /** Runs `work` behind a savepoint; rolls back to it when it throws, and throws on. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
  /** For a foreign-key violation of a row: parents that its image names and the target lacks, as (source table id, JSON key). Empty when it can't be told. */
  missingParents(
    table: TargetTable,
    row: RowWrite,
  ): Promise<readonly { readonly table: string; readonly key: string }[]>;
  /** Live letters of these rows. Cheap when the lane has none (it knows). */
  findLetters(
    keys: readonly { readonly table: string; readonly key: string }[],
  ): Promise<readonly DeadLetter[]>;
  /**
   * Letters that are to be written now: `due` ones, oldest position first. Fewer than `limit`, though there are more, when they are large: about
   * {@link maxPageBytes} of them, or a single larger one. The next call gives those that are still due.
   */
  dueLetters(limit: number): Promise<readonly DeadLetterDetail[]>;
  /** Letters that wait for this one, oldest position first; bounded like {@link dueLetters}. */
  waitingLetters(id: string, limit: number): Promise<readonly DeadLetterDetail[]>;
  /**
   * Reads letters on the transaction's own connection. Another one's turn may never come: all of them may be waiting for letters that this
   * transaction has locked.
   */
  readonly letters: Pick<LetterDesk, "get" | "list">;
  /** Makes the row's live letter, or replaces it; adds to its history. Returns its id. */
  putLetter(letter: LetterWrite): Promise<string>;
  resolveLetters(ids: readonly string[], state: "applied" | "superseded"): Promise<void>;
  /** Keeps lines of a very large transaction until its last part (PROTOCOL.md 4). `lines` are opaque. */
  stage(position: Position, lines: readonly string[]): Promise<void>;
  /** Staged lines in order, from `after`: at most `limit`, and about {@link maxPageBytes} or a larger one; none only behind the last. */
  staged(after: number, limit: number): Promise<readonly { readonly n: number; readonly line: string }[]>;
  clearStaged(): Promise<void>;
  /** Adds to the records that the step's move counts; below zero when fewer rows were written than it foresaw. */
  countRecords(more: number): Promise<void>;
  /** What conflict policies and two-way sync need. Absent: the target can have neither. */
  readonly guarded?: GuardedRows;
}

/** How a step moves the checkpoint. */
export interface CheckpointMove {
  readonly from: Checkpoint;
  readonly to: Position;
  readonly total: number;
  readonly incarnation: string;
  /** Rows that the step is about to write; {@link TargetTransaction.countRecords} corrects it. */
  readonly records: number;
  readonly stagedThrough?: Position;
}

/** A lane's own session in the target. Holds the lane's lock until disposed or until the connection ends. */
export interface LaneSession extends AsyncDisposable {
  /** Resolves when the session's connection ended by itself. */
  readonly lost: Promise<void>;
  /**
   * The lane's checkpoint as it stands; `undefined` when the lane has never been registered. Opening raised its epoch, so that an earlier owner moves nothing; an epoch beyond
   * what was seen before says that another session has taken the lane over since.
   */
  checkpoint(): Promise<Checkpoint | undefined>;
  /** Writes the first checkpoint of a lane. */
  register(start: { readonly position: Position; readonly incarnation: string }): Promise<Checkpoint>;
  /**
   * Makes (managed) or checks (external) the tables of these schemas and returns them; a newer schema of a managed table adds its columns.
   * @throws LockstepError TARGET_TABLE_MISSING, TARGET_COLUMN_MISSING, TARGET_KEY_MISMATCH, TARGET_KEY_COLLATION: one error naming everything that is wrong.
   */
  tables(schemas: readonly TableSchema[]): Promise<readonly TargetTable[]>;
  /**
   * One transaction: moves the checkpoint by compare-and-set as its *first* statement (PROTOCOL.md 14), runs `work`, commits.
   * @returns the new checkpoint. After an ambiguous COMMIT it reads the checkpoint again.
   * @throws LockstepError TARGET_FENCED when another owner moved it; otherwise whatever `work` or the driver threw, rolled back.
   */
  step(move: CheckpointMove, work: (transaction: TargetTransaction) => Promise<void>): Promise<Checkpoint>;
  /** Forgets the bases of tables that have no policy (any more): what is written without one makes them wrong. Absent with {@link TargetTransaction.guarded}. */
  dropBases?(tables: readonly TargetTable[]): Promise<void>;
  /** Forgets versions of rows that were deleted longer than `keepMs` ago, at most `limit`; returns how many. Absent with {@link TargetTransaction.guarded}. */
  pruneVersions?(keepMs: number, limit: number): Promise<number>;
  /** Forgets old conflicts of this lane, and old tombstones of the target; returns how many. */
  pruneConflicts?(kept: ConflictsKept): Promise<number>;
  /** Live letters of this lane by state. */
  letterCounts(): Promise<Readonly<Record<LetterState, number>>>;
  /** `retrying` letters whose time has come, or whose job may be lost: at most `limit`. */
  overdueLetters(
    before: number,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly attempts: number; readonly dueAt: number }[]>;
  /** Forgets letters of this lane that were over (applied, superseded, discarded) at `before` (ms), the oldest first, at most `limit`; returns how many. */
  pruneLetters(before: number, limit: number): Promise<number>;
}

/** Some keys of a target's table. */
export interface KeyPage {
  readonly keys: readonly (readonly string[])[];
  /** Where the next page begins, in the target's own terms; absent behind the last. */
  readonly next?: readonly string[];
}

/**
 * A store that mirrors a source. `testing` ships the contract suite that a target must pass, in tiers by its capabilities.
 */
export interface Target {
  readonly name: string;
  /** Host, port and database: no credentials. */
  readonly address: string;
  readonly capabilities: { readonly transactions: boolean };
  /** Makes Lockstep's own tables; returns the uuid that was made in the target when it was first opened. Safe to run at every start and from several processes at once. */
  open(): Promise<{ readonly id: string }>;
  /** A session that owns the lane; `undefined` while another session does. */
  lane(lane: { readonly source: string; readonly partition: number }): Promise<LaneSession | undefined>;
  readonly letters: LetterDesk;
  /** What its lanes have decided. Absent with {@link TargetTransaction.guarded}. */
  readonly conflicts?: ConflictDesk;
  /** Checkpoints of all lanes in this target; none where it was never opened. */
  checkpoints(): Promise<readonly (Checkpoint & { readonly source: string; readonly partition: number })[]>;
  /** A person's wish: kept in the target, obeyed by the lane that owns it. @throws LockstepError LANE_UNKNOWN. */
  setPaused(lane: { readonly source: string; readonly partition: number }, paused: boolean): Promise<void>;
  /** Reads the mirrored tables, on a connection of its own. Absent: it has no SQL. */
  reader?(): TableReader;
  /** Reads what a target without SQL holds. Absent, and no reader: it has nothing that could be compared. */
  readonly held?: HeldRows;
  /**
   * Moves a lane's checkpoint to where a full sync begins, whatever it was, in one transaction: what came before is no longer waited for, so staged parts go and
   * live letters are over. The lane is no longer seeded; whoever owns it is fenced out and begins anew. @throws LockstepError LANE_UNKNOWN.
   */
  restart(
    lane: { readonly source: string; readonly partition: number },
    start: { readonly position: Position; readonly incarnation: string },
  ): Promise<void>;
  /** Says that a full sync has copied the rows that are older than the capture. @throws LockstepError LANE_UNKNOWN. */
  setSeeded(lane: { readonly source: string; readonly partition: number }): Promise<void>;
  /**
   * Keys of the rows that this target holds of a source's table, in an order of its own, from a place that the page before gave: texts of the key's columns as the source
   * prints them. None when it has no such table. Absent: what it holds can't be listed.
   */
  keys?(
    schema: TableSchema,
    page: { readonly after?: readonly string[]; readonly limit: number },
  ): Promise<KeyPage>;
  /**
   * Fences out whoever owns a lane: it stands by for a second, and takes the lane again unless somebody else has it by then. Absent with {@link Target.loader}.
   * @throws LockstepError LANE_UNKNOWN.
   */
  unseat?(lane: { readonly source: string; readonly partition: number }): Promise<void>;
  /** Loads rows into its tables while all lanes of the source are held. Absent: everything goes through the stream. */
  loader?(source: string, held: readonly HeldLane[]): BulkLoader;
  classify(error: unknown): Fault;
  close(): Promise<void>;
}

/** Notes rows in an open transaction: each is captured as it is then, or as deleted. */
export type AnnounceRows = (
  run: RunStatement,
  rows: readonly { readonly table: RowNote["table"]; readonly key: readonly string[] }[],
) => Promise<void>;

/** Options every target takes. */
export interface TargetOptions {
  /** Name of the target in configuration, status and metrics. */
  readonly name: string;
  /** Connection URL. */
  readonly url: string;
  /** `managed`: Lockstep makes and widens the tables; `external` (default): they exist and are checked. */
  readonly schema?: "managed" | "external";
  /** Namespace (PostgreSQL schema, MySQL database) the tables live in. Default: `public`, or the URL's database. */
  readonly namespace?: string;
  /** External tables whose keys have a case- or space-insensitive collation are refused unless this is true. Default false. */
  readonly allowInsensitiveKeys?: boolean;
  /** Where the database is a hub of two-way sync: writes rows, as they are in the open transaction, into its outbox as a source. */
  readonly announce?: AnnounceRows;
  /**
   * The same place: called before a person's wish to discard a live letter is kept. A leaf waits for the hub's answer to the change that the letter holds; giving up the change is
   * one, too.
   */
  readonly beforeDiscard?: (letter: DeadLetterDetail) => Promise<void>;
  /** A statement that takes longer counts as a systemic error, ms. Default 30000. */
  readonly statementTimeoutMs?: number;
}
