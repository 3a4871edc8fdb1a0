import type { CaptureKind, ChangeLog, Logger, RowNote, RunStatement } from "@lockstep/core";
import type { MysqlConnection, PostgresConnection } from "@lockstep/outbox";
import type { DataSource } from "typeorm";
import type { CaptureSettings, InstalledCapture } from "./subscriber/install-capture.js";

/** A source database as every capture and the relay reach it. Nothing is connected by naming it. */
export type CaptureSource = {
  /** Name of the source. */
  readonly name: string;
  /** Where Lockstep's own tables are: a schema on PostgreSQL, a name prefix on MySQL and MariaDB. */
  readonly outbox: { readonly schema?: string; readonly prefix?: string };
  readonly logger: Logger;
  /** Tables whose rows the engine's foreign keys change unseen (PROTOCOL.md 25): refused (default), or captured without those changes. */
  readonly foreignKeyActions?: "refuse" | "accept";
} & (
  | { readonly engine: "postgres"; readonly connection: PostgresConnection }
  | { readonly engine: "mysql"; readonly connection: MysqlConnection }
);

/** Something that a capture needs at the source and that isn't as it should be. */
export interface CaptureFinding {
  /** `namespace.name`; absent when it is about the source as a whole. */
  readonly table?: string;
  /** `missing`: nothing is there; `drifted`: it is there, of an older shape of the table; `refused`: it can't be put in place. */
  readonly problem: "missing" | "drifted" | "refused";
  /** One sentence; never holds row values. */
  readonly message: string;
}

/** The difference between what a capture needs at the source and what is there. */
export interface CapturePlan {
  /** Empty: all is in place. */
  readonly findings: readonly CaptureFinding[];
  /** What brings the source in order, to be run one after another. Empty when all is in place. */
  readonly statements: readonly string[];
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
  /** Statements that take everything out of the source that installing put in. The outbox stays. */
  removal(run: RunStatement): Promise<readonly string[]>;
  /** The log that a relay of this source reads. Connects on first use. */
  changeLog(): ChangeLog;
  /** What the application's own process does for this capture. Absent: nothing, the database itself sees every write. */
  attach?(dataSource: DataSource, settings: CaptureSettings): Promise<InstalledCapture>;
}
