import type { Engine, Logger, OutboxWriter } from "@lockstep/core";
import type { BlindWrites } from "./blind-writes.js";
import type { CapturedTables } from "./captured-tables.js";
import type { TreeStatements } from "./identify/tree-statements.js";
import type { RunnerInternals, StructuredResult } from "./typeorm-internals.js";

/** What subscriber capture of one DataSource goes by. */
export interface CaptureRules {
  readonly engine: Engine;
  readonly writer: OutboxWriter;
  readonly tables: CapturedTables;
  readonly trees: TreeStatements;
  /** Writes through TypeORM whose rows can't be known: refuse them, or let them through with a warning. */
  readonly bulkWrites: "error" | "allow";
  /** Hand-written SQL that changes a captured table: warn, or refuse it. */
  readonly onBlindWrite: "warn" | "error";
  readonly logger: Logger;
  /** False from `uninstall` on. */
  readonly isInstalled: () => boolean;
  readonly blindWrites: BlindWrites;
  /** Called after each commit that wrote outbox rows. Must not throw. */
  readonly committed: () => void;
  /** True where one string can hold several statements: always on PostgreSQL, by choice on MySQL. */
  readonly severalAtOnce: boolean;
  /** Runs a statement that capture itself sends, so that it isn't captured again. */
  readonly runOwn: (runner: RunnerInternals, sql: string, parameters: unknown[]) => Promise<StructuredResult>;
}
