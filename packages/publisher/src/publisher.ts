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

/** The publisher of a process in which `LOCKSTEP_DISABLED` is set, where nothing but the process captures. */
export function disabledPublisher(source: string): Publisher {
  const nothing = async (): Promise<void> => undefined;
  return {
    source,
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
