import { comparePositions, LockstepError, type Target } from "@lockstep/core";
import type { OpenSync } from "./open-sync.js";

const barrierTimeoutMs = 30_000;

/**
 * Lets a target follow from now on that can't go on from where it stands: its history is pruned, or another source's. Everything before now is what the full sync
 * copies. Live letters of it are over: their rows are copied, or gone.
 * @throws LockstepError RELAY_SILENT, HISTORY_GONE.
 */
export async function beginAnew({ log, source }: OpenSync, target: Target): Promise<void> {
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
}
