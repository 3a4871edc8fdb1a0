import type { Logger, Position } from "@lockstep/core";
import type { Connections, OutboxPlace, TableNames } from "@lockstep/outbox/mysql";
import type { Tables } from "../table/tables.js";

/** What all readers of a log share. */
export interface LogContext {
  readonly connections: Connections;
  readonly names: TableNames;
  /** Database of Lockstep's own tables. */
  readonly database: string;
  readonly place: OutboxPlace;
  readonly tables: Tables;
  readonly source: string;
  readonly logger: Logger;
  readonly serverId?: number | undefined;
}

/** Where a reader stands: everything before the boundary is counted in the total. */
export interface Scanned {
  readonly boundary: bigint;
  readonly total: number;
  /** Position of the last event before the boundary. */
  readonly last: Position;
}
