import { setTimeout as pause } from "node:timers/promises";
import { comparePositions, LockstepError, type Position, type Target } from "@lockstep/core";
import { redisStatusReader } from "@lockstep/stream";
import type { OpenSync } from "./open-sync.js";

const barrierTimeoutMs = 30_000;

/**
 * Lets a target follow from now on that can't go on from where it stands: its history is pruned, or another source's. Everything before now is what the full sync
 * copies. Live letters of it are over: their rows are copied, or gone.
 * @throws LockstepError RELAY_SILENT, HISTORY_GONE.
 */
export async function beginAnew(open: OpenSync, target: Target): Promise<void> {
  const { log, source } = open;
  const { id } = await target.open();
  const incarnation = await log.incarnation();
  const lanes = (await target.checkpoints()).filter((lane) => lane.source === source.name);
  const position = await log.barrier(barrierTimeoutMs);
  // First the source, which holds everything from there on then; only then the target, which reads from there.
  await log.acknowledge(lanes.map(({ partition }) => ({ id, partition, position })));
  if (comparePositions(await log.prunedThrough(), position) > 0) {
    throw new LockstepError("HISTORY_GONE", "changes were pruned meanwhile: try again");
  }
  for (const { partition } of lanes) {
    await target.restart({ source: source.name, partition }, { position, incarnation });
  }
  // Best effort: a lane that isn't told finds out by itself, half a minute later.
  await wake(open, target, position).catch(() => undefined);
}

const nudgeEveryMs = 500;
const nudges = 60;

/** Tells the target's lanes, which have halted, until they follow: what the relay last said of them may still be what halted them. */
async function wake({ redis, source }: OpenSync, { name }: Target, position: Position): Promise<void> {
  const reader = redisStatusReader({ redis, source: source.name });
  try {
    for (let i = 0; i < nudges; i++) {
      const own = (await reader.lanes()).filter((lane) => lane.target === name);
      const behind = own.filter(
        (lane) => lane.state === "halted" || comparePositions(lane.position, position) < 0,
      );
      if (own.length > 0 && behind.length === 0) return;
      for (const { partition } of behind)
        await reader.nudge({ target: name, source: source.name, partition });
      await pause(nudgeEveryMs);
    }
  } finally {
    await reader.close();
  }
}
