import { type HeldLane, LockstepError, type Target } from "@lockstep/core";
import type { FullSyncWork } from "../room.js";
import type { BulkRoom } from "./bulk-room.js";

const giveUpMs = 15_000;
const unseatEveryMs = 1_000;
const lookMs = 20;

/** All lanes of a source in a target, held by this process: none of them moves until they are let go. */
export interface HeldLanes extends AsyncDisposable {
  readonly lanes: readonly HeldLane[];
  /** @throws LockstepError TARGET_UNAVAILABLE when the session of one has ended, so that its owner may be another one now. */
  check(): void;
}

/** A target whose lanes can be held. */
export type HoldableTarget = Pick<Target, "name" | "checkpoints" | "lane"> & Required<Pick<Target, "unseat">>;

type Holder = Pick<FullSyncWork, "source" | "now" | "sleep">;

/**
 * Takes the target's lanes from whoever owns them: that one is fenced out, stands by, and takes them again by itself when they are let go. `undefined` when a
 * person paused one, or when one can't be had in time.
 */
export async function holdLanes(
  holder: Holder,
  { partitions, nudge }: BulkRoom,
  target: HoldableTarget,
): Promise<HeldLanes | undefined> {
  const nudgeLane = (partition: number): Promise<void> =>
    nudge({ target: target.name, partition }).catch(() => undefined);
  const lanes: HeldLane[] = [];
  const letGo = async (): Promise<void> => {
    await Promise.all(lanes.map(({ session }) => session[Symbol.asyncDispose]()));
    // Their owner would look about once a second.
    await Promise.all(lanes.map(({ partition }) => nudgeLane(partition)));
  };
  const until = holder.now() + giveUpMs;
  try {
    for (const partition of await begunLanes(holder, target, partitions, until)) {
      const lane = await takeLane(holder, target, partition, { until, nudgeLane });
      if (lane === undefined) break;
      lanes.push(lane);
    }
    if (lanes.length === partitions) return held(lanes, letGo);
  } catch (error) {
    await letGo();
    throw error;
  }
  await letGo();
  return undefined;
}

/** The partitions, once all their lanes have a checkpoint; none when a person paused one, or they don't get there in time. */
async function begunLanes(
  { source, now, sleep }: Holder,
  target: HoldableTarget,
  partitions: number,
  until: number,
): Promise<readonly number[]> {
  for (;;) {
    const lanes = (await target.checkpoints()).filter((lane) => lane.source === source);
    if (lanes.some(({ paused }) => paused) || lanes.length > partitions || now() > until) return [];
    if (lanes.length === partitions) return lanes.map(({ partition }) => partition);
    await sleep(lookMs);
  }
}

async function takeLane(
  { source, now, sleep }: Holder,
  target: HoldableTarget,
  partition: number,
  { until, nudgeLane }: { readonly until: number; readonly nudgeLane: (partition: number) => Promise<void> },
): Promise<HeldLane | undefined> {
  for (let unseatedAt = -Infinity; ;) {
    const session = await target.lane({ source, partition });
    const checkpoint = await session?.checkpoint();
    if (session !== undefined && checkpoint !== undefined)
      return { partition, epoch: checkpoint.epoch, session };
    await session?.[Symbol.asyncDispose]();
    if (now() > until) return undefined;
    if (now() - unseatedAt > unseatEveryMs) {
      unseatedAt = now();
      await target.unseat({ source, partition });
      await nudgeLane(partition);
    }
    await sleep(lookMs);
  }
}

function held(lanes: readonly HeldLane[], letGo: () => Promise<void>): HeldLanes {
  let isLost = false;
  const lose = (): void => void (isLost = true);
  for (const { session } of lanes) session.lost.then(lose, lose);
  return {
    lanes,
    check() {
      if (isLost) throw new LockstepError("TARGET_UNAVAILABLE", "the connection that held a lane ended");
    },
    [Symbol.asyncDispose]: letGo,
  };
}
