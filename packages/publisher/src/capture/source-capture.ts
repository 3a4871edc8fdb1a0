import type {
  CaptureKind,
  CapturePlan,
  CaptureRemoval,
  ChangeLog,
  LogEnd,
  Logger,
  RowNote,
  RunStatement,
} from "@lockstep/core";
import type { MysqlConnection, PostgresConnection } from "@lockstep/outbox";
import type { DataSource } from "typeorm";
import type { CaptureSettings, InstalledCapture } from "./subscriber/install-capture.js";
import type { WalRetention } from "./wal/wal-retention.js";

/**
 * Rows that the engine's foreign keys of MySQL and MariaDB change unseen (PROTOCOL.md 25): triggers of their parents work them out (`capture`), their tables are
 * refused (`refuse`), or captured without those changes (`accept`).
 */
export type ForeignKeyActions = "capture" | "refuse" | "accept";

/** Where Lockstep's own tables are: a schema on PostgreSQL, a name prefix on MySQL and MariaDB. `table`: the outbox's own name. */
export interface OutboxChoice {
  readonly schema?: string;
  readonly prefix?: string;
  readonly table?: string;
}

/** A source database as every capture and the relay reach it. Nothing is connected by naming it. */
export type CaptureSource = {
  /** Name of the source. */
  readonly name: string;
  readonly outbox: OutboxChoice;
  readonly logger: Logger;
  readonly foreignKeyActions?: ForeignKeyActions | undefined;
  /** How long the write-ahead log is kept for targets, where it is what is read. */
  readonly wal?: WalRetention;
} & (
  | { readonly engine: "postgres"; readonly connection: PostgresConnection }
  | { readonly engine: "mysql"; readonly connection: MysqlConnection }
);

/** The database's own log while a source's changes go over to it, or from it (PROTOCOL.md 27). */
export interface LogHandOver {
  /**
   * Within a transaction that holds writers back: from here on changes are read from this log; positions go on behind `before`.
   * @throws LockstepError CONFIG_INVALID when the log's places lie below them.
   */
  begin(run: RunStatement, before: LogEnd): Promise<void>;
  /** Within the transaction in which the outbox goes on behind it: says how many events it had, and leaves the outbox its history. */
  leave(run: RunStatement): Promise<number>;
  /** Where the log is now: what is written from now on is at or above it. */
  reach(run: RunStatement): Promise<bigint>;
}

/**
 * One way to capture a source, as one object: what it needs in the database, what the application's process does for it, and the log
 * that the relay reads. `capture-of.ts` has one per kind.
 */
export interface SourceCapture {
  readonly kind: CaptureKind;
  /**
   * Compares the source with what this capture of `tables` needs: status is its findings, installing is running its statements, and
   * printing them is `--sql`. Changes nothing. The outbox exists (all captures have it: PROTOCOL.md 27).
   */
  plan(run: RunStatement, tables: readonly RowNote["table"][]): Promise<CapturePlan>;
  /** Who stood in the way of a statement of the plan that gave up waiting, a phrase each. Absent: none waits. */
  inTheWay?(
    run: RunStatement,
    statement: string,
    tables: readonly RowNote["table"][],
  ): Promise<readonly string[]>;
  /** Keeps other processes from installing meanwhile. Absent: the plan's statements see to it themselves. */
  alone?<T>(run: RunStatement, work: () => Promise<T>): Promise<T>;
  /** Statements that take everything out of the source that installing put in. The outbox stays. */
  removal(run: RunStatement): Promise<CaptureRemoval>;
  /** The log that a relay of this source reads. Connects on first use. */
  changeLog(): ChangeLog;
  /** Its part when the source changes from the outbox to this log, or back. Absent where the outbox is the log. */
  readonly handOver?: LogHandOver;
  /** What the application's own process does for this capture. Absent: nothing, the database itself sees every write. */
  attach?(dataSource: DataSource, settings: CaptureSettings): Promise<InstalledCapture>;
  /** Has the application's traced transactions say which trace they belong to; gives what ends it. Absent: the log has no place for it. */
  trace?(dataSource: DataSource): Promise<() => void>;
}
