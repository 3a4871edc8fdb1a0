import type { ConflictCount } from "./guarded-rows.js";
import type { StreamEntry } from "../change-event.js";
import type { Changes } from "../packed-changes.js";
import type { Position } from "../position.js";
import type { TableSchema } from "../table-schema.js";

/** One chain of entries: a partition's main stream, or the catch-up stream of one target that fell behind it (PROTOCOL.md 3). */
export interface Feed {
  readonly partition: number;
  /** Target id; present for a catch-up stream. */
  readonly target?: string;
}

/** Where a feed stands. */
export interface FeedHead {
  readonly epoch: string;
  readonly incarnation: string;
  /** Id of the last entry appended, or the position the feed began at. */
  readonly last: Position;
  /** Entries in it now. */
  readonly length: number;
  /** `total` of the last entry appended; absent before the first one of an epoch. */
  readonly total?: number;
}

/** What a lane says of its target so that the relay can register it. */
export interface TargetAnnouncement {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly partition: number;
}

/** The relay's answer to an announcement. */
export interface TargetConfirmation {
  /** Where a lane without a checkpoint starts. */
  readonly start: Position;
  readonly incarnation: string;
  readonly partitions: number;
  readonly state: "following" | "needs-backfill";
}

/** The relay's side of Redis. Every method throws LockstepError `STREAM_UNAVAILABLE` when Redis can't be reached in time. */
export interface StreamWriter {
  /** `undefined` when there is no such feed (never begun, or Redis was emptied). */
  head(feed: Feed): Promise<FeedHead | undefined>;
  /** Deletes the feed and begins it anew, empty, at `at`: the next entry's predecessor is `at`. */
  begin(
    feed: Feed,
    start: { readonly epoch: string; readonly incarnation: string; readonly at: Position },
  ): Promise<void>;
  /**
   * Compare-and-append, in order: an entry lands only if its `previous` is the feed's last id; after one refusal nothing later lands.
   * Entries that are already there (same id, same predecessor) count as landed.
   * @throws LockstepError STREAM_GAP when the chain or the epoch disagrees.
   */
  append(feed: Feed, epoch: string, entries: readonly StreamEntry<Changes>[]): Promise<void>;
  /** Removes entries with id ≤ `through`. */
  trim(feed: Feed, through: Position): Promise<void>;
  /** Removes a feed. */
  remove(feed: Feed): Promise<void>;
  publishSchemas(schemas: readonly TableSchema[]): Promise<void>;
  /** Last positions acknowledged since Redis was last emptied, by target id. */
  acks(partition: number): Promise<ReadonlyMap<string, Position>>;
  announcements(): Promise<readonly TargetAnnouncement[]>;
  confirm(target: TargetAnnouncement, confirmation: TargetConfirmation): Promise<void>;
  /** Removes everything Redis holds of a target. */
  forget(target: { readonly id: string }): Promise<void>;
  /** Targets that asked to be fed from the outbox, and from where: never less than they have acknowledged since. */
  catchUps(partition: number): Promise<ReadonlyMap<string, Position>>;
  /** Says that this relay is alive; expires by itself. */
  report(report: RelayReport): Promise<void>;
  /** Calls `wake` when a consumer announced itself, asked for catch-up or (throttled) acknowledged. */
  onWake(wake: () => void): void;
  close(): Promise<void>;
}

/** What the relay says of itself, for the status service. */
export interface RelayReport {
  readonly source: string;
  readonly relay: string;
  readonly incarnation: string;
  readonly partitions: number;
  readonly leader: boolean;
  readonly at: number;
  /** Position and total of the last entry published. */
  readonly published: Position;
  readonly total: number;
  readonly backlogEvents: number;
  readonly backlogOldestMs: number;
  /** Bytes of the database's own log that the source holds back for targets; absent for an outbox. */
  readonly heldLogBytes?: number;
  /** More than this is too much. */
  readonly maxHeldLogBytes?: number;
  /** What the capture lacks at the source, a sentence each, at most {@link maxReportedFindings}; absent when nothing is lacking. */
  readonly captureFindings?: readonly string[];
  /** Why it waits, when it does. */
  readonly waiting?: string;
}

/** So many sentences of a report name what the capture lacks; the rest is for `lockstep capture status`. */
export const maxReportedFindings = 20;

/** Where the reads of one process of the application go, for the status service. */
export interface ReadsReport {
  /** Host and process. */
  readonly process: string;
  readonly replicas: Readonly<
    Record<
      string,
      { readonly state: string; readonly reason?: string; readonly lagMs?: number; readonly reads: number }
    >
  >;
  readonly primary: { readonly reads: number; readonly reasons: Readonly<Record<string, number>> };
}

/** The consumer's side of Redis. Every method throws LockstepError `STREAM_UNAVAILABLE` when Redis can't be reached in time. */
export interface StreamReader {
  /**
   * Entries after `after`, oldest first, at most `maxEntries`; waits up to `blockMs` when there is none; an empty array after that.
   * Only decodes: whether they follow on is the lane's decision ({@link followOn}).
   */
  read(
    feed: Feed,
    after: Position,
    options: { readonly maxEntries: number; readonly blockMs: number; readonly signal?: AbortSignal },
  ): Promise<readonly StreamEntry[]>;
  /** @throws LockstepError STREAM_SCHEMA_UNKNOWN. Cached by fingerprint. */
  schema(fingerprint: string): Promise<TableSchema>;
  /** Says that all up to `position` is durable in the target; what the lane asked to be fed from moves along, in the same step. */
  acknowledge(partition: number, target: string, position: Position): Promise<void>;
  announce(target: TargetAnnouncement): Promise<void>;
  /** The relay's answer, once it has one. */
  confirmation(target: TargetAnnouncement): Promise<TargetConfirmation | undefined>;
  /** Asks to be fed from `after` over a catch-up stream; `undefined` ends it. */
  requestCatchUp(partition: number, target: string, after: Position | undefined): Promise<void>;
  /** Where the relay stands (`total`, `published`), as it last said; `undefined` when it has been silent. */
  relay(): Promise<RelayReport | undefined>;
  /** Says how a lane is; expires by itself. */
  report(lane: LaneReport): Promise<void>;
  close(): Promise<void>;
}

/** What a lane says of itself every second, for the status service. */
export interface LaneReport {
  readonly source: string;
  readonly target: string;
  readonly targetId: string;
  readonly partition: number;
  /** Host and process that own the lane. */
  readonly owner: string;
  readonly at: number;
  readonly state: "starting" | "running" | "catching-up" | "paused" | "stalled" | "halted";
  /** Why it isn't running: an error code and what to do. */
  readonly reason?: { readonly code: string; readonly message: string };
  readonly position: Position;
  readonly total: number;
  /** 0 when caught up, else the age of the oldest event not applied; `null` when nobody knows, because no relay has reported for 10 s. */
  readonly lagMs: number | null;
  /** `null` as above. */
  readonly eventsBehind: number | null;
  readonly rowsPerSecond: number;
  /** Commit-to-visible of the last transactions applied (at most 4096), ms. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly lastSyncAt?: number;
  readonly recordsSynced: number;
  readonly errorCount: number;
  /** Live letters of this lane by state. */
  readonly letters: Readonly<Record<string, number>>;
  /** The last 10, newest first. `key` is an identifier, not a value; both are `null` when the lane failed as a whole. */
  readonly lastErrors: readonly {
    readonly table: string | null;
    readonly key: string | null;
    readonly code: string;
    readonly at: number;
  }[];
  /** Conflicts that the lane has decided since it was started. Absent: none. */
  readonly conflicts?: readonly ConflictCount[];
  /** False until a full sync has copied the rows that are older than the publisher. */
  readonly seeded: boolean;
}
