import { setTimeout as pause } from "node:timers/promises";
import {
  type ClaimedJob,
  comparePositions,
  type Job,
  LockstepError,
  type Position,
  type Target,
} from "@lockstep/core";
import { redisStatusReader } from "@lockstep/stream";
import {
  type FullSyncEnd,
  type FullSyncOptions,
  type FullSyncProgress,
  planFullSync,
  stoppedBy,
} from "@lockstep/sync";
import type { OpenSync } from "../open-sync.js";
import { surveyOf } from "./survey.js";

const barrierTimeoutMs = 30_000;

/**
 * The first phase of a job with `anew`: its targets begin anew, then its tables are surveyed, and only then the job keeps that it is over. Killed before
 * that, all of it happens again: the job that copies everything is there before any target has moved, and a row that came before a target's new place is
 * in a survey that was made after it.
 * @returns what stopped it, if anything did.
 */
export async function beginTargets(
  open: OpenSync,
  job: Job,
  claim: ClaimedJob,
): Promise<FullSyncEnd | undefined> {
  const { anew = [] } = job.options as FullSyncOptions;
  const { begun, tables } = job.progress as FullSyncProgress;
  if (anew.length === 0 || begun) return undefined;
  for (const { target } of open.targets) if (anew.includes(target.name)) await beginAnew(open, target);
  const surveyed = await surveyOf(
    open,
    tables.map(({ table }) => table),
  );
  const progress: FullSyncProgress = { ...planFullSync(surveyed), begun: true };
  const isKept = await claim.step(() => Promise.resolve({ progress }));
  return isKept ? undefined : (stoppedBy(await claim.read()) ?? "lost");
}

/**
 * Lets a target follow from now on that can't go on from where it stands: its history is pruned, or another source's. Everything before now is what the full sync
 * copies. Live letters of it are over: their rows are copied, or gone.
 * @throws LockstepError RELAY_SILENT, HISTORY_GONE.
 */
async function beginAnew(open: OpenSync, target: Target): Promise<void> {
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
/** What a lane says before it has found out that its checkpoint moved is no news: it stands by for a moment, then speaks once a second. */
const firstNews = 4;

/** Tells the target's lanes, which have halted, until they follow: what the relay last said of them may still be what halted them. */
async function wake({ redis, source }: OpenSync, { name }: Target, position: Position): Promise<void> {
  const reader = redisStatusReader({ redis, source: source.name });
  try {
    for (let i = 0; i < nudges; i++) {
      const own = (await reader.lanes()).filter((lane) => lane.target === name);
      const behind = own.filter(
        (lane) => lane.state === "halted" || comparePositions(lane.position, position) < 0,
      );
      if (own.length > 0 && behind.length === 0 && i >= firstNews) return;
      for (const { partition } of behind)
        await reader.nudge({ target: name, source: source.name, partition });
      await pause(nudgeEveryMs);
    }
  } finally {
    await reader.close();
  }
}
