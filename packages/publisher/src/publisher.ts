import { LockstepError, type Position, type ReadsReport } from "@lockstep/core";
import type { Applied, AppliedOptions } from "./applied/when-applied.js";
import type { RelayStatus } from "./relay/index.js";

/** What `publishChanges` gives. Disposing it is `close()`. */
export interface Publisher extends AsyncDisposable {
  /** Name of the source. */
  readonly source: string;
  /** Resolves when changes are captured: at once, or when the DataSource is initialized. Rejects when capture can't be installed. */
  readonly ready: Promise<void>;
  /** Resolves when the relay of this process has ended. */
  readonly done: Promise<void>;
  status(): PublisherStatus;
  /** Tells the relay of this process that something was written. Commits do it by themselves. */
  nudge(): void;
  /** Names of the option `targets`: those that can be waited for. */
  readonly targets: readonly string[];
  /** How many lanes a target has of this source. */
  readonly partitions: number;
  /**
   * A place at or before which everything lies that was committed before the call, and the history that it is a place of. Nothing is written for it (with `capture: "wal"`
   * or `"binlog"`: one marker for all that ask at the same time). Where no `targets` are named, the first one waits for transactions that are open, as it may be inside of one.
   * @throws LockstepError RELAY_SILENT when no relay cut a tick in time; SOURCE_UNAVAILABLE; BARRIER_IN_TRANSACTION.
   */
  barrier(options?: {
    readonly timeoutMs?: number;
  }): Promise<{ readonly position: Position; readonly incarnation: string }>;
  /**
   * Waits until a target (one of the option `targets`) has everything that was committed before the call. Call it behind the transaction. A slow or dead target makes it
   * give up after `timeoutMs`, and nothing else: the change follows by the stream.
   * @throws LockstepError CONFIG_INVALID when the target isn't known; BARRIER_IN_TRANSACTION.
   */
  whenApplied(target: string, options?: AppliedOptions): Promise<Applied>;
  /**
   * Shows in the source's status where the reads of this process go: the `report` of `replicaReads`. Counts for 10 s. One for a process and source.
   * @throws LockstepError STREAM_UNAVAILABLE.
   */
  reportReads(reads: Omit<ReadsReport, "process">): Promise<void>;
  /** Forgets a target, by id or name: it holds nothing back any more. Returns how many lanes it had. */
  removeTarget(idOrName: string): Promise<number>;
  /**
   * Stops capturing and closes; what captures inside the database (triggers) stays. `tables` removes that too, and Lockstep's tables and functions, and with them every change that is
   * not applied everywhere yet.
   */
  uninstall(what?: { readonly tables?: boolean }): Promise<void>;
  /** Ends the relay of this process. Capture stays: what is written afterwards waits in the outbox for another relay, or the next start. */
  close(): Promise<void>;
}

/** What a publisher says of itself. */
export interface PublisherStatus {
  /** `waiting`: for the DataSource to be initialized. */
  readonly state: "disabled" | "waiting" | "capturing" | "uninstalled";
  /** Hand-written statements on captured tables that went through uncaptured. */
  readonly blindWrites: number;
  /** Absent when no relay runs in this process. */
  readonly relay?: RelayStatus;
}

/**
 * The publisher of a process in which `LOCKSTEP_DISABLED` is set, where nothing but the process captures. Waiting gives up at once: it must not make an application's
 * writes fail.
 */
export function disabledPublisher(source: string, targets: readonly string[] = []): Publisher {
  const nothing = async (): Promise<void> => undefined;
  const disabled = async (): Promise<never> => {
    throw new LockstepError("CONFIG_INVALID", "lockstep is disabled in this process: no target follows");
  };
  return {
    source,
    targets,
    partitions: 1,
    barrier: disabled,
    whenApplied: async () => "timed-out",
    reportReads: nothing,
    ready: Promise.resolve(),
    done: Promise.resolve(),
    status: () => ({ state: "disabled", blindWrites: 0 }),
    nudge: () => undefined,
    removeTarget: async () => 0,
    uninstall: nothing,
    close: nothing,
    [Symbol.asyncDispose]: nothing,
  };
}
