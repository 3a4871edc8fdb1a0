import type {
  CaptureFinding,
  ChangeLog,
  Logger,
  Position,
  RegisteredTarget,
  StreamWriter,
} from "@lockstep/core";
import { Latch } from "./latch.js";
import type { RelayLimits } from "./limits.js";
import type { QueueFeed } from "./queue/queue-feed.js";

/** What every part of a relay works with. */
export interface RelayContext {
  readonly log: ChangeLog;
  readonly stream: StreamWriter;
  readonly source: string;
  readonly partitions: number;
  readonly limits: RelayLimits;
  readonly logger: Logger;
  readonly queues: readonly QueueFeed[];
  /** The wall clock: for what is shown. */
  readonly now: () => number;
  /** A clock that nobody sets, ms: for durations. By the wall clock nothing would be settled while it is put back. */
  readonly elapsed: () => number;
  /** Host and process, as it appears in status. */
  readonly name: string;
  /** Somebody says that something was written. */
  readonly nudged: Latch;
  /** Aborts when the relay is to end as soon as nothing is left to publish. */
  readonly draining: AbortSignal;
  /** A consumer announced itself, asked for catch-up or acknowledged. */
  readonly called: Latch;
}

/** What is known while this relay leads. Changed by its loops, read by all of them. */
export interface Term {
  readonly incarnation: string;
  /** Aborts when the leadership is lost or the relay is disposed. */
  readonly signal: AbortSignal;
  /** Ends the term. */
  end(): void;
  /** End of the last tick that is cut. */
  top: Position;
  /** Position and total of the last entry published to partition 0. */
  published: Position;
  total: number;
  registered: readonly RegisteredTarget[];
  /** Targets beyond the source's last tick: of another source, or of this one before it was rewound. */
  ahead: ReadonlySet<string>;
  /** Counts the starts of prunings: a reader that saw it change asks whether its next page lies behind a hole. */
  prunes: number;
  /** Fingerprints of the schemas published in this epoch. */
  readonly schemas: Set<string>;
  /** What the capture lacks at the source. */
  lacking: readonly CaptureFinding[];
  /** Nothing is left to publish. */
  isCaughtUp: boolean;
  /** Why it waits, when it does. */
  waiting: string | undefined;
  /** Each call of `ticked` wakes those who read the log beside the main loop. */
  readonly ticked: Set<Latch>;
}

/** Wakes everybody who reads the log beside the main loop. */
export function announceTick(term: Term): void {
  for (const latch of term.ticked) latch.set();
}
