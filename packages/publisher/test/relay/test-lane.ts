import {
  followOn,
  isLockstepError,
  positionOf,
  type Feed,
  type Position,
  type StreamEntry,
  type StreamReader,
  type TargetConfirmation,
} from "@lockstep/core";
import { redisStreamReader } from "@lockstep/stream";
import { setTimeout as sleep } from "node:timers/promises";

/** A lane as simple as the protocol allows: it keeps events in memory instead of a target. */
export interface TestLane extends AsyncDisposable {
  readonly id: string;
  /** `<tick>-<ordinal>` of every event taken, in order. */
  readonly taken: string[];
  readonly entries: StreamEntry[];
  position(): Position | undefined;
  confirmation(): TargetConfirmation | undefined;
  /** Every state that the relay confirmed, once each. */
  readonly confirmations: string[];
  /** How often it had to be fed from the source. */
  catchUps(): number;
  /** Stops taking entries at once, stays alive. */
  pause(): void;
  resume(): void;
}

/** Settings of a {@link TestLane}. */
export interface TestLaneOptions {
  readonly redis: string;
  readonly source: string;
  readonly id: string;
  readonly partition?: number;
  /** Where it stands, when it has been here before. */
  readonly position?: Position;
  /** Entries taken at once. */
  readonly maxEntries?: number;
  /** Time each batch takes, ms. */
  readonly slowMs?: number;
}

/** A feed that was silent for so long is asked for again, as the real lane does (it waits longer), ms. */
const silentMs = 1_000;

/** Starts a lane; it survives whatever Redis does. */
export function startTestLane(options: TestLaneOptions): TestLane {
  const { id, partition = 0, maxEntries = 20, slowMs = 0 } = options;
  const reader: StreamReader = redisStreamReader({
    redis: options.redis,
    source: options.source,
    commandTimeoutMs: 1_000,
  });
  const announcement = { id, name: `name of ${id}`, address: `host/${id}`, partition };
  const stop = new AbortController();
  const state = {
    position: options.position,
    confirmation: undefined as TargetConfirmation | undefined,
    catchingUp: false,
    catchUps: 0,
    /** When it asked to be fed, or was fed, last. */
    heardAt: 0,
    paused: false,
  };
  const taken: string[] = [];
  const entries: StreamEntry[] = [];
  const confirmations: string[] = [];

  const take = async (found: readonly StreamEntry[]): Promise<boolean> => {
    // Read before it was paused: it is read again.
    if (state.paused) return false;
    const following = followOn(state.position!, found);
    for (const entry of following) {
      entries.push(entry);
      let at = 0;
      for (const { tick = entry.id.split("-")[0]!, events } of entry.transactions) {
        for (const { ordinal } of entry.events.slice(at, (at += events)))
          taken.push(positionOf(BigInt(tick), ordinal));
      }
      state.position = entry.id;
    }
    if (following.length === 0) return false;
    if (slowMs > 0) await sleep(slowMs);
    await reader.acknowledge(partition, id, state.position!);
    return true;
  };
  const readFrom = (feed: Feed, blockMs: number): Promise<boolean> =>
    reader.read(feed, state.position!, { maxEntries, blockMs, signal: stop.signal }).then(take);
  const ask = async (): Promise<void> => {
    state.heardAt = performance.now();
    await reader.requestCatchUp(partition, id, state.position);
  };

  const step = async (): Promise<void> => {
    if (state.position === undefined || state.paused) return void (await sleep(10));
    if (!state.catchingUp) {
      try {
        await readFrom({ partition }, 100);
      } catch (error) {
        if (!isLockstepError(error, "STREAM_GAP")) throw error;
        state.catchingUp = true;
        state.catchUps++;
        await ask();
      }
      return;
    }
    try {
      // Fed to the very end there is nothing to read: then the relay says that it is the end.
      if ((await readFrom({ partition }, 0)) || (await reader.relay())?.published === state.position) {
        state.catchingUp = false;
        return await reader.requestCatchUp(partition, id, undefined);
      }
    } catch (error) {
      if (!isLockstepError(error, "STREAM_GAP")) throw error;
    }
    try {
      if (await readFrom({ partition, target: id }, 100)) state.heardAt = performance.now();
    } catch (error) {
      if (!isLockstepError(error, "STREAM_GAP")) throw error;
      await ask();
    }
    if (performance.now() - state.heardAt > silentMs) await ask();
  };
  const life = async (): Promise<void> => {
    let saidAt = -Infinity;
    while (!stop.signal.aborted) {
      try {
        if (performance.now() - saidAt > 200) {
          saidAt = performance.now();
          await reader.announce(announcement);
          state.confirmation = (await reader.confirmation(announcement)) ?? state.confirmation;
          const { state: said } = state.confirmation ?? {};
          if (said !== undefined && !confirmations.includes(said)) confirmations.push(said);
          state.position ??= state.confirmation?.start;
          if (state.position !== undefined) await reader.acknowledge(partition, id, state.position);
        }
        await step();
      } catch (error) {
        if (!isLockstepError(error, "STREAM_UNAVAILABLE")) throw error;
        await sleep(20);
      }
    }
  };
  const done = life();
  done.catch(() => undefined);
  return {
    id,
    taken,
    entries,
    position: () => state.position,
    confirmation: () => state.confirmation,
    confirmations,
    catchUps: () => state.catchUps,
    pause: () => void (state.paused = true),
    resume: () => void (state.paused = false),
    async [Symbol.asyncDispose]() {
      stop.abort();
      try {
        await done;
      } finally {
        await reader.close();
      }
    },
  };
}
