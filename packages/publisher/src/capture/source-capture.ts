import type { CaptureKind, CapturePlan, ChangeLog, Logger, RowNote, RunStatement } from "@lockstep/core";
import type { MysqlConnection, PostgresConnection } from "@lockstep/outbox";
import type { DataSource } from "typeorm";
import type { CaptureSettings, InstalledCapture } from "./subscriber/install-capture.js";
import type { WalRetention } from "./wal/wal-retention.js";

/**
 * Rows that the engine's foreign keys of MySQL and MariaDB change unseen (PROTOCOL.md 25): triggers of their parents work them out (`capture`), their tables are
 * refused (`refuse`), or captured without those changes (`accept`).
 */
export type ForeignKeyActions = "capture" | "refuse" | "accept";

/** A source database as every capture and the relay reach it. Nothing is connected by naming it. */
export type CaptureSource = {
  /** Name of the source. */
  readonly name: string;
  /** Where Lockstep's own tables are: a schema on PostgreSQL, a name prefix on MySQL and MariaDB. */
  readonly outbox: { readonly schema?: string; readonly prefix?: string };
  readonly logger: Logger;
  readonly foreignKeyActions?: ForeignKeyActions | undefined;
  /** How long the write-ahead log is kept for targets, where it is what is read. */
  readonly wal?: WalRetention;
} & (
  | { readonly engine: "postgres"; readonly connection: PostgresConnection }
  | { readonly engine: "mysql"; readonly connection: MysqlConnection }
);

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
  /** Statements that take everything out of the source that installing put in. The outbox stays. */
  removal(run: RunStatement): Promise<readonly string[]>;
  /** The log that a relay of this source reads. Connects on first use. */
  changeLog(): ChangeLog;
  /** What the application's own process does for this capture. Absent: nothing, the database itself sees every write. */
  attach?(dataSource: DataSource, settings: CaptureSettings): Promise<InstalledCapture>;
  /** Has the application's traced transactions say which trace they belong to; gives what ends it. Absent: the log has no place for it. */
  trace?(dataSource: DataSource): Promise<() => void>;
}
