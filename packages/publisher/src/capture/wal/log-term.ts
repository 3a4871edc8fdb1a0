import { randomBytes } from "node:crypto";
import {
  isLockstepError,
  LockstepError,
  type Backlog,
  type LoggedChanges,
  type Position,
} from "@lockstep/core";
import { lasting } from "@lockstep/outbox";
import { captureMoved, type Connections, type OutboxNames } from "@lockstep/outbox/postgres";
import { Latch } from "../../relay/latch.js";
import type { Relations } from "./relation/relation.js";
import { readLogState } from "./slot/log-state.js";
import { Markers, type Marker } from "./slot/markers.js";
import { backlogBehind, type Keeping, pruneLog } from "./slot/prune-log.js";
import { comparePlaces, placeOf, type Place } from "./tail/place.js";
import { openTail, type Tail } from "./tail/tail.js";
import { endOtherReader, startRefusal } from "./slot/start-refusal.js";

/** What a term works with. */
export interface TermSettings {
  readonly connections: Connections;
  readonly names: OutboxNames;
  readonly relations: Relations;
  /** The most a target may lag, ms. */
  readonly maxAgeMs: number;
}

/** The log while this process leads its source: one connection that receives what is new, others beside it for who is behind. */
export interface LogTerm {
  cut(): Promise<bigint | undefined>;
  read(
    after: Position,
    reading: { readonly pageEvents: number; readonly signal: AbortSignal },
  ): AsyncGenerator<readonly LoggedChanges[], void, undefined>;
  prune(published: Position | undefined, atPublication: boolean): Promise<number>;
  backlog(slowest: Place | undefined): Backlog;
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Read, and kept for queues and targets that come just behind, bytes of the log. */
const maxBehindBytes = 4 * 1024 * 1024;
const lookAgainMs = 1_000;

interface Live extends Keeping {
  readonly slot: string;
  readonly publications: readonly string[];
}

/** A term that has not connected yet. */
export function openTerm({ connections, names, relations, maxAgeMs }: TermSettings): LogTerm {
  const { s } = names;
  /** The newest tick that was cut; nothing behind it is given. */
  let top = -1n;
  /** Set when the main reader is about to begin; others wait for it. */
  const cutting = new Latch();
  let opening: Promise<Live> | undefined;
  let live: Live | undefined;
  const tooOld = lasting({ maxAgeMs });
  let isClosed = false;
  /** Another log is in force: the term is over. */
  let isMoved = false;

  /** Receives from `at` on; where the main reader begins, so that what slower ones need is not in its way. */
  async function receive(at: Place): Promise<Live> {
    if (isClosed) throw new LockstepError("SOURCE_UNAVAILABLE", "the log is no longer read here");
    const state = await connections.use((client) => readLogState(client, s));
    const markers = new Markers(state.markers);
    const { slot, publications, confirmed, pruned } = state;
    refuseGone(at, pruned);
    await endOtherReader(connections, slot);
    const client = await connections.openReplication();
    const tail = await startRefusal(connections, s, client, () =>
      openTail({
        client,
        slot,
        publications,
        confirmed,
        ...startOf(markers, at),
        after: at,
        maxBehindBytes,
        relations,
        began: (tick, total, began) => markers.note({ tick, total, at: began }),
      }),
    );
    live = { tail, markers, slot, publications, confirmed, pruned, lasting: tooOld };
    if (isClosed) tail.close();
    // All that is committed by now counts as cut: a reader that hears nothing of it may conclude that nothing is there.
    top = state.flushed - 1n;
    return live;
  }

  /** A reader of its own for who is behind what the live one still has: from a copy of the slot, which ends with its connection. */
  async function openBeside({ slot, publications, markers }: Live, at: Place): Promise<Tail> {
    const client = await connections.openReplication();
    return startRefusal(connections, s, client, async () => {
      const copy = `${slot.slice(0, 50)}_${randomBytes(4).toString("hex")}`;
      await client.query(`select pg_copy_logical_replication_slot('${slot}', '${copy}', true)`);
      const start = startOf(markers, at);
      return openTail({
        client,
        slot: copy,
        publications,
        ...start,
        after: at,
        maxBehindBytes: 0,
        relations,
      });
    });
  }

  async function* beside(
    live: Live,
    place: { at: Place },
    reading: { readonly pageEvents: number; readonly signal: AbortSignal },
  ): AsyncGenerator<readonly LoggedChanges[], void, undefined> {
    const { window } = live.tail;
    const tail = await openBeside(live, place.at);
    try {
      while (!reading.signal.aborted && comparePlaces(place.at, window.from) < 0) {
        const join = window.from;
        yield* tail.pages(place, { ...reading, through: () => join.tick });
        // Nothing lies between: everything up to there has been given.
        if (!reading.signal.aborted && comparePlaces(place.at, join) < 0) place.at = join;
      }
    } finally {
      tail.close();
    }
  }

  async function* read(
    after: Position,
    { pageEvents, signal }: { readonly pageEvents: number; readonly signal: AbortSignal },
  ): AsyncGenerator<readonly LoggedChanges[], void, undefined> {
    while (!cutting.isSet && !signal.aborted) await cutting.wait(lookAgainMs, signal);
    const place = { at: placeOf(after) };
    const reading = { pageEvents, signal, through: () => top };
    opening ??= receive(place.at);
    const live = await opening;
    while (!signal.aborted) {
      refuseGone(place.at, live.pruned);
      if (yield* live.tail.pages(place, reading)) return;
      yield* beside(live, place, reading);
    }
  }

  return {
    async cut() {
      cutting.set();
      if (isMoved) throw captureMoved();
      if (live === undefined) return undefined;
      const { tail } = live;
      await tail.look();
      const failure = tail.failure();
      if (failure !== undefined) throw failure;
      const newest = tail.stream.newest();
      if (newest <= top) return undefined;
      return (top = newest);
    },
    read,
    async prune(published, atPublication) {
      if (live === undefined || isClosed) return 0;
      const keeping = live;
      const facts = { published: published && placeOf(published), atPublication };
      try {
        return await connections.use((client) => pruneLog(client, names, keeping, { ...facts, maxAgeMs }));
      } catch (error) {
        isMoved ||= isLockstepError(error, "CAPTURE_CHANGED");
        throw error;
      }
    },
    backlog: (slowest) =>
      live === undefined || slowest === undefined ? { events: 0, oldestMs: 0 } : backlogBehind(live, slowest),
    async wait(timeoutMs, signal) {
      const until = performance.now() + timeoutMs;
      for (let left = timeoutMs; left > 0 && !signal.aborted; left = until - performance.now()) {
        if (live === undefined || live.tail.failure() !== undefined || live.tail.stream.newest() > top)
          return;
        await live.tail.changed(left, signal);
      }
    },
    close() {
      isClosed = true;
      cutting.set();
      live?.tail.close();
    },
  };
}

/** Where reading begins for who stands at `at`, and how many events lie before that. */
function startOf(markers: Markers, at: Place): { readonly from: bigint; readonly total: number } {
  const marker: Marker = markers.atOrBefore(at.tick) ?? markers.first!;
  return { from: marker.tick, total: marker.total };
}

function refuseGone(at: Place, pruned: Position): void {
  if (comparePlaces(at, placeOf(pruned)) >= 0) return;
  throw new LockstepError("HISTORY_GONE", `the log was let go of up to ${pruned}`);
}
