import { hostname } from "node:os";
import { type LaneReport, type LaneSession, LockstepError, silentLogger } from "@lockstep/core";
import { defaultLaneLimits, type LaneOptions } from "./lane-options.js";
import { Bell, sleepTimer } from "./life/bell.js";
import { laneName, type LaneRoom } from "./life/lane-room.js";
import { live } from "./life/live.js";
import { Acknowledger } from "./report/acknowledger.js";
import { LaneStatus } from "./report/lane-status.js";
import { startPulse } from "./report/pulse.js";
import { RefusalWindow } from "./write/refusal-window.js";
import { retryRules } from "./write/retry-rules.js";

/** A running lane. */
export interface Lane extends AsyncDisposable {
  /** `<source>:<target>:<partition>`. */
  readonly id: string;
  /** How it is, now. */
  status(): LaneReport;
  /** Letters are due, or a person decided something: look at once. */
  nudge(): void;
  /** Resolves when the lane was disposed and has drained; rejects with DRAIN_TIMEOUT when it had to be cut short. Until then it goes on, whatever happens. */
  readonly done: Promise<void>;
}

/** The id of a lane in status and API. */
export function laneId(lane: {
  readonly source: string;
  readonly target: string;
  readonly partition: number;
}): string {
  return `${lane.source}:${lane.target}:${lane.partition}`;
}

/**
 * Starts a lane: one target, one partition. It owns the lane or stands by until it can, reads from the checkpoint it finds in the target,
 * and applies batch after batch, each with its checkpoint in one transaction. It survives outages of Redis and of the target; disposing it
 * finishes the step in flight (at most `limits.drainTimeoutMs`). Target, reader and schedule stay the caller's.
 */
export function startLane(options: LaneOptions): Lane {
  const stop = new AbortController();
  const room = roomOf(options, stop.signal);
  const nudge = (): void => {
    room.nudges.count++;
    room.bell.ring();
  };
  const stopNudges = room.schedule.onNudge({ ...laneName(room), target: room.target.name }, nudge);
  let held: LaneSession | undefined;
  const pulse = startPulse(room, () => held !== undefined);
  const ended = live(room, (session) => (held = session)).finally(async () => {
    stopNudges();
    await pulse[Symbol.asyncDispose]();
  });
  const drained = drainWithin(ended, room, stop.signal, () => held);
  // Whoever doesn't ask how it ended need not crash for it.
  drained.catch(() => undefined);
  return {
    id: laneId({ source: room.source, target: room.target.name, partition: room.partition }),
    status: () => room.status.report(),
    nudge,
    done: drained,
    async [Symbol.asyncDispose]() {
      stop.abort();
      room.bell.ring();
      await drained.catch(() => undefined);
    },
  };
}

function roomOf(options: LaneOptions, stopping: AbortSignal): LaneRoom {
  const { source, partition, target, reader, schedule } = options;
  const { now = Date.now, random = Math.random, sleep = sleepTimer, logger = silentLogger } = options;
  const { elapsed = () => performance.now() } = options;
  const limits = { ...defaultLaneLimits, ...options.limits };
  const owner = options.owner ?? `${hostname()}:${process.pid}`;
  return {
    source,
    partition,
    partitions: options.partitions ?? 1,
    target,
    reader,
    ...(options.mapping === undefined ? {} : { mapping: options.mapping }),
    ...(options.conflicts === undefined ? {} : { conflicts: options.conflicts }),
    ...(options.twoWay === undefined ? {} : { twoWay: options.twoWay }),
    schedule,
    limits,
    logger,
    now,
    elapsed,
    random,
    sleep,
    stopping,
    retry: retryRules(options.retry, options.retryByTable),
    status: new LaneStatus({ source, target: target.name, partition, owner }, { now, elapsed }),
    acks: new Acknowledger({ reader, partition, elapsed }),
    refusals: new RefusalWindow(limits, elapsed),
    bell: new Bell(sleep),
    nudges: { count: 0, seen: 0 },
    faults: { count: 0 },
  };
}

/** How a life ends: by itself when it was told to, or cut short after the drain bound, by closing its session. */
async function drainWithin(
  ended: Promise<void>,
  room: LaneRoom,
  stopping: AbortSignal,
  session: () => LaneSession | undefined,
): Promise<void> {
  const asked = new Promise<void>((resolve) =>
    stopping.addEventListener("abort", () => resolve(), { once: true }),
  );
  if ((await Promise.race([ended.then(() => "ended"), asked])) === "ended") return;
  const late = new AbortController();
  const bound = room.sleep(room.limits.drainTimeoutMs, late.signal).then(() => "late" as const);
  const first = await Promise.race([ended.then(() => "ended" as const), bound]);
  late.abort();
  if (first === "ended") return;
  // The session's end rolls back what is open; it is done again at the next start. A server that doesn't answer must not hold us.
  void session()
    ?.[Symbol.asyncDispose]()
    .then(undefined, () => undefined);
  throw new LockstepError("DRAIN_TIMEOUT", "the lane did not drain in time", {
    details: { target: room.target.name, partition: room.partition },
  });
}
