import type { CaptureKind } from "../capture-kind.js";
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
  /** While the source changes over: the kind before. Both capture, and processes may start with either. */
  readonly from?: CaptureKind;
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
  /** Makes tables and functions if they are missing or older; safe to run at every start and from several processes at once. */
  ensure(run: RunStatement): Promise<void>;
  /** Statements that make (`up`) and remove (`down`) everything, for a migration. */
  readonly ddl: { readonly up: readonly string[]; readonly down: readonly string[] };
  /** @throws LockstepError OUTBOX_MISSING when `ensure` or the migration never ran. */
  check(run: RunStatement): Promise<void>;
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
}
