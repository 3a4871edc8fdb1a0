import type { CaptureKind, Logger } from "@lockstep/core";
import type { RedisConnection } from "@lockstep/stream";
import type { ForeignKeyActions, OutboxChoice } from "./capture/source-capture.js";
import type { EntityChoice } from "./capture/subscriber/mapped-tables.js";
import type { WalRetention } from "./capture/wal/wal-retention.js";
import type { AppliedTarget } from "./applied/when-applied.js";
import type { RelayLimits } from "./relay/limits.js";

/** Settings of `publishChanges`. Only `redis` is needed. */
export interface PublishOptions {
  /** Where the change stream goes: a `redis://` URL, ioredis options, or the nodes of a Redis Cluster. */
  readonly redis: RedisConnection;
  /** Name of this source in streams, targets and status. Default: the database's name. Don't change it later: targets know their positions by it. */
  readonly source?: string;
  /**
   * How writes are captured. `subscriber` (default): follows what TypeORM sends, needs no rights beyond the application's own; `trigger`, `wal`
   * (PostgreSQL), `binlog` (MySQL, MariaDB): the database itself sees every write, whoever makes it. The same in every process of the source.
   */
  readonly capture?: CaptureKind;
  /**
   * MySQL and MariaDB: rows that a foreign key changes by itself (CASCADE, SET NULL) reach neither triggers nor the binlog. `capture`: triggers of the parent
   * tables write those changes; `refuse` the tables at the start; or `accept` that targets don't get them. Default: `capture` with `capture: "trigger"`, `refuse`
   * with `"binlog"`, which puts nothing into the database unless told to. Subscriber capture works them out and needs none of it.
   */
  readonly foreignKeyActions?: ForeignKeyActions;
  /** With `capture: "wal"`: how long the log is kept for targets. */
  readonly wal?: WalRetention;
  /** Entities to capture, by class, EntitySchema or name; their join and closure tables are included. Default: all. */
  readonly entities?: readonly EntityChoice[];
  /** Entities to leave out. Default: none. */
  readonly exclude?: readonly EntityChoice[];
  /** Tables without an entity that are captured too, as `name` or `namespace.name`. Not with `capture: "subscriber"`, which knows entities only. Default: none. */
  readonly captureTables?: readonly string[];
  /** Streams that changes are spread over. Default 1: transactions stay whole. */
  readonly partitions?: number;
  /**
   * Where Lockstep's own tables are: a schema on PostgreSQL (default `lockstep`), a name prefix on MySQL and MariaDB (default `lockstep_`). `table` names the outbox
   * itself (default `outbox`, on MySQL and MariaDB behind the prefix). The same in every process of the source, and not to be changed later.
   */
  readonly outbox?: OutboxChoice;
  /** Who makes those tables: `ensure` (default) makes them at start; `migration` only checks that the exported migration ran. */
  readonly tables?: "ensure" | "migration";
  /**
   * Whether this process also takes changes from the outbox to Redis. Default true. Several processes may: one leads, the others stand by.
   * An object names a direct connection (behind a transaction pooler the application's own won't do) and limits.
   */
  readonly relay?: boolean | RelayChoice;
  /** Targets that this process may wait for, by `whenApplied`: `postgresTarget({ name, url })` or another. `close()` closes them. Default: none. */
  readonly targets?: readonly AppliedTarget[];
  /** Changes of an entity as jobs in a BullMQ queue of your own: entity name → queue name. Default: none. */
  readonly queues?: Readonly<Record<string, string>>;
  /** Writes through TypeORM whose rows can't be known (TRUNCATE by `clear()`; on MySQL, INSERT … SELECT): refuse (default), or let through with a warning. */
  readonly bulkWrites?: "error" | "allow";
  /** Hand-written SQL that changes a captured table and that this form of capture can't see: warn once per table (default), or refuse. */
  readonly onBlindWrite?: "warn" | "error";
  /** A pino logger or the like. Default: warnings and errors as JSON lines on stderr. */
  readonly logger?: Logger;
}

/** How the relay of this process runs. */
export interface RelayChoice {
  /** Connection URL of the source for the relay alone. Default: the DataSource's own. */
  readonly url?: string;
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<RelayLimits>;
}

/** What holds where {@link PublishOptions} says nothing. */
export const publishDefaults = {
  capture: "subscriber",
  partitions: 1,
  tables: "ensure",
  relay: true,
  bulkWrites: "error",
  onBlindWrite: "warn",
} as const;
