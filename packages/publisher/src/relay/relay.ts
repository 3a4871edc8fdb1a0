import { hostname } from "node:os";
import {
  backoffMs,
  outageBackoff,
  silentLogger,
  type ChangeLog,
  type Logger,
  type StreamWriter,
} from "@lockstep/core";
import { Latch } from "./latch.js";
import { defaultRelayLimits, type RelayLimits } from "./limits.js";
import type { QueueFeed } from "./queue/queue-feed.js";
import type { RelayContext } from "./relay-context.js";
import { failureOf, type RelayStatus } from "./relay-status.js";
import { leadTerm } from "./term.js";

/** Settings of {@link startRelay}. */
export interface RelayOptions {
  readonly log: ChangeLog;
  readonly stream: StreamWriter;
  /** Name of the source. */
  readonly source: string;
  /** How many streams the changes are spread over by key. It can't change while targets follow. Default 1. */
  readonly partitions?: number;
  readonly limits?: Partial<RelayLimits>;
  readonly logger?: Logger;
  /** Queues of the user's own that get changes as jobs. */
  readonly queues?: readonly QueueFeed[];
  /** Ms since 1970, as reports show it. Default `Date.now`. */
  readonly now?: () => number;
  /** Ms since some moment, by a clock that nobody sets: for durations. Default `performance.now`. */
  readonly elapsed?: () => number;
}

/** A running relay. Disposing publishes what is committed, at most for `drainTimeoutMs`, then ends. Log and stream stay open. */
export interface Relay extends AsyncDisposable {
  /** Resolves when the relay was disposed. It never ends by itself: errors are retried for ever. */
  readonly done: Promise<void>;
  /** Says that something was committed: the relay looks at once. */
  nudge(): void;
  status(): RelayStatus;
}

/**
 * Publishes a source's changes: log → stream, in order, as long as it leads; stands by otherwise. Several may run for one source.
 */
export function startRelay(options: RelayOptions): Relay {
  const logger = options.logger ?? silentLogger;
  const stop = new AbortController();
  const draining = new AbortController();
  const context: RelayContext = {
    log: options.log,
    stream: options.stream,
    source: options.source,
    partitions: options.partitions ?? 1,
    limits: { ...defaultRelayLimits, ...options.limits },
    logger,
    queues: options.queues ?? [],
    now: options.now ?? Date.now,
    elapsed: options.elapsed ?? (() => performance.now()),
    name: `${hostname()}:${process.pid}`,
    nudged: new Latch(),
    called: new Latch(),
    draining: draining.signal,
  };
  let status = (): RelayStatus => ({ phase: "standby" });
  const show = (next: () => RelayStatus): void => void (status = next);
  options.stream.onWake(() => context.called.set());
  const done = runRelay(context, stop.signal, show).finally(() => show(() => ({ phase: "closed" })));
  return {
    done,
    nudge: () => context.nudged.set(),
    status: () => status(),
    async [Symbol.asyncDispose]() {
      draining.abort();
      context.nudged.set();
      const bound = setTimeout(() => stop.abort(), context.limits.drainTimeoutMs);
      // A source that no longer answers must not hold the process: its calls are abandoned, they are done again at the next start.
      const late = new Promise<void>((resolve) => {
        stop.signal.addEventListener("abort", () => setTimeout(resolve, abandonAfterMs));
      });
      await Promise.race([done, late]);
      clearTimeout(bound);
    },
  };
}

/** After the drain bound: how long calls under way have to notice that they were aborted, ms. */
const abandonAfterMs = 250;

/** Before a relay tries again after its session was lost, ms: behind some poolers that could go on for ever. */
const relieveMs = 100;

async function runRelay(
  context: RelayContext,
  stop: AbortSignal,
  show: (status: () => RelayStatus) => void,
): Promise<void> {
  const { draining, limits, nudged, logger, source } = context;
  let failures = 0;
  const rest = async (ms: number): Promise<void> => {
    await new Latch().wait(ms, draining);
    nudged.clear();
  };
  while (!draining.aborted) {
    try {
      show(() => ({ phase: "standby" }));
      const led = await leadTerm(context, stop, { show, onCaughtUp: () => void (failures = 0) });
      await rest(led ? relieveMs : limits.standbyMs);
    } catch (error) {
      if (draining.aborted) return;
      failures++;
      show(() => failureOf(error));
      logger.warn({ source, ...failureOf(error) }, "relay backs off");
      await rest(backoffMs(failures, outageBackoff));
    }
  }
}
