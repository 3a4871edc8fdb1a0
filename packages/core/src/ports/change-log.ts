import type { ChangeEvent, TransactionHeader } from "../change-event.js";
import type { PackedChanges } from "../packed-changes.js";
import type { Position } from "../position.js";
import type { CaptureFinding } from "./capture-plan.js";
import type { TableSchema } from "../table-schema.js";

/** Where changes stand in the log: what the relay needs to cut entries. */
interface Logged {
  readonly tick: bigint;
  /** Table they are about. */
  readonly table: { readonly namespace: string; readonly name: string };
  readonly transaction: Omit<TransactionHeader, "events">;
  /** True for the last ones of their transaction. A tick whose transactions are unknown is one transaction. */
  readonly endsTransaction: boolean;
  readonly endsTick: boolean;
  /** Events of the source up to and including these (PROTOCOL.md 34). */
  readonly total: number;
}

/** An event in the order of the log. */
export interface LoggedEvent extends ChangeEvent, Logged {}

/** Several events that stand one behind the other, as the source packed them. */
export interface LoggedPack extends PackedChanges, Logged {}

/** What a log gives: one event or several. */
export type LoggedChanges = LoggedEvent | LoggedPack;

/** A target as the source knows it. Only registered targets hold events back from pruning. */
export interface RegisteredTarget {
  /** The uuid made in the target's own checkpoint table. */
  readonly id: string;
  readonly name: string;
  /** Host and database, without credentials: tells two databases under one name apart. */
  readonly address: string;
  readonly partition: number;
  /** All up to here is durable in the target. */
  readonly position: Position;
  /** `needs-backfill`: the retention limit passed it by; it no longer holds anything back. */
  readonly state: "following" | "needs-backfill";
  /** Milliseconds since 1970: last sign of life. */
  readonly seenAt: number;
}

/** How much of the source is not yet applied everywhere, from counters kept per tick. */
export interface Backlog {
  /** Events cut into ticks and not yet pruned. */
  readonly events: number;
  /** Age of the oldest of them, ms; 0 when there is none. */
  readonly oldestMs: number;
  /** Bytes of the database's own log that are held back for Lockstep; absent for an outbox. */
  readonly heldLogBytes?: number;
  /** More than this is too much. */
  readonly maxHeldLogBytes?: number;
}

/**
 * The ordered log of committed changes, as the relay reads it: an outbox, or (later) the database's own log. One per engine.
 * Uses connections of its own, never the application's pool (PROTOCOL.md 35). Every method throws LockstepError
 * `SOURCE_UNAVAILABLE` when the database can't be reached; the next call connects again.
 */
export interface ChangeLog {
  /** True where each tick is one transaction: entries may then hold several. Absent: a tick is cut, and is an entry of its own. */
  readonly ticksAreTransactions?: boolean;
  /**
   * What the capture behind this log lacks at the source now: changes go past it, or arrive incomplete. Asks the catalog, so not to be called often. Absent: this
   * capture can't come apart unnoticed.
   */
  captureFindings?(): Promise<readonly CaptureFinding[]>;
  /** Identity of the database (system identifier and timeline; server uuid and database). */
  incarnation(): Promise<string>;
  /**
   * Tries to lead: a session lock that saves work; the fence is the tick row (PROTOCOL.md 5).
   * `undefined` when another relay leads. `lost` resolves when the session ended.
   */
  lead(): Promise<{ readonly lost: Promise<void>; release(): Promise<void> } | undefined>;
  /**
   * Cuts a tick when anything new is visible; durable before it returns (PROTOCOL.md 6).
   * @throws LockstepError RELAY_FENCED, SNAPSHOT_WENT_BACK.
   */
  cut(): Promise<{ readonly tick: bigint; readonly events: number } | undefined>;
  /** End of the last tick that was cut (or `0-0`). */
  top(): Promise<Position>;
  /**
   * A position at or before which everything lies that was committed before the call: a target whose checkpoint is at or beyond it has applied
   * all of that, as far as it is not in letters. Every lane gets there, whether or not anything else is written.
   * @throws LockstepError RELAY_SILENT when no relay cut a tick in time.
   */
  barrier(timeoutMs: number): Promise<Position>;
  /** Everything up to and including this is pruned (or `0-0`). */
  prunedThrough(): Promise<Position>;
  /**
   * Events after `after`, in order, in pages, up to the last tick that is cut. Memory stays flat whatever the size of ticks and of
   * rows: a page holds at most `pageEvents` events (more only where they come packed) and about {@link maxPageBytes}, or one larger event.
   */
  read(
    after: Position,
    options?: { readonly pageEvents?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<readonly LoggedChanges[]>;
  /** Every schema that an event still held may name. */
  schemas(): Promise<readonly TableSchema[]>;
  /** The number of partitions that targets' positions belong to; `undefined` when none was ever kept. */
  partitions(): Promise<number | undefined>;
  /** Keeps it in the source, where the loss of Redis doesn't reach (PROTOCOL.md 23). */
  keepPartitions(partitions: number): Promise<void>;
  /** Registers a target or renames it; a new one starts at the next uncut tick. Returns its row (position included). */
  register(
    target: Pick<RegisteredTarget, "id" | "name" | "address" | "partition">,
  ): Promise<RegisteredTarget>;
  /** Moves targets forward; never backward. */
  acknowledge(
    acks: readonly { readonly id: string; readonly partition: number; readonly position: Position }[],
  ): Promise<void>;
  targets(): Promise<readonly RegisteredTarget[]>;
  /** Forgets a target: it holds nothing back any more. By id or name; returns how many lanes were removed. */
  removeTarget(idOrName: string): Promise<number>;
  /**
   * Deletes whole ticks that every following target has applied, bound and grace as in PROTOCOL.md 20. Returns deleted events. At most
   * `maxTicks` a call. `published`: the stream holds everything up to here; a log without targets may let go of it.
   */
  prune(options?: { readonly maxTicks?: number; readonly published?: Position }): Promise<number>;
  backlog(): Promise<Backlog>;
  /** Returns when the database says something was written, at the latest after `timeoutMs`. May return early. */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
