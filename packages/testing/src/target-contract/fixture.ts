import type { Cell, Engine, Target, TargetOptions, TableSchema } from "@lockstep/core";

/** What the contract suite needs of an engine. One fixture stands for one empty database of its own. */
export interface TargetFixture {
  /** Engine of the target; its text forms are what rows are compared in. */
  readonly engine: Engine;
  /** The empty database, with credentials. */
  readonly url: string;
  /** A target as a process would make it; the suite makes several on one database, some of them through a proxy. */
  target(options: TargetOptions): Target;
  /** Runs statements (not parameters) in a session of the fixture's own, in UTC. */
  run(sql: string): Promise<void>;
  /** Runs a query; every column is text or null. */
  read(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** For a store that isn't read by SQL: the rows of a table, cells in canonical form, in any order. `run` and `read` are not used then. */
  rows?(schema: TableSchema): Promise<readonly (readonly Cell[])[]>;
  /** For a store that can refuse a row: a text that it refuses in column `note`. */
  readonly refusedText?: string;
  /** Ends, from the server's side, every session that holds a lane of this database. */
  killLanes(): Promise<void>;
  /** Removes the database; open sessions are ended. */
  drop(): Promise<void>;
}

/** Which tiers of the contract a target must pass. */
export interface ContractTiers {
  /** Rows, checkpoint and letters move in one transaction. Default true. */
  readonly transactions?: boolean;
  /** False when letters lie in another target, which passes those tiers itself. Default true. */
  readonly letters?: boolean;
}
