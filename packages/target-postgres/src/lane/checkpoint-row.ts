import { type Checkpoint, type CheckpointMove, parsePosition } from "@lockstep/core";
import { live, own } from "../own-tables/ddl.js";
import type { Command } from "../wire/pipeline.js";

/** Which lane. */
export interface LaneName {
  readonly source: string;
  readonly partition: number;
}

/** A checkpoint, and how many steps its lane has made: what tells after a lost reply whether the last one is in. */
export interface CheckpointRow {
  readonly checkpoint: Checkpoint;
  readonly steps: bigint;
}

/** Columns of a checkpoint, in the order that {@link readCheckpoint} reads. */
export const checkpointColumns =
  "position, epoch, incarnation, total, records, (extract(epoch from last_sync_at) * 1000)::bigint, seeded, staged_through, paused, steps, restarts";

/** A row of {@link checkpointColumns}. */
export function readCheckpoint(row: readonly (string | null)[]): CheckpointRow {
  const [
    position,
    epoch,
    incarnation,
    total,
    records,
    lastSyncAt,
    seeded,
    stagedThrough,
    paused,
    steps,
    restarts,
  ] = row;
  return {
    checkpoint: {
      position: parsePosition(position!),
      epoch: Number(epoch),
      incarnation: incarnation!,
      total: Number(total),
      recordsSynced: Number(records),
      ...(lastSyncAt == null ? {} : { lastSyncAt: Number(lastSyncAt) }),
      seeded: seeded === "t",
      ...(stagedThrough == null ? {} : { stagedThrough: parsePosition(stagedThrough) }),
      paused: paused === "t",
      restarts: Number(restarts),
    },
    steps: BigInt(steps!),
  };
}

/** Puts a lane where a full sync begins; in the same statement its letters and staged parts are over. Gives how many lanes were found. */
export const restartLane = `with moved as (
    update ${own.checkpoint} set position = $3, incarnation = $4, epoch = epoch + 1, restarts = restarts + 1, staged_through = null, seeded = false
    where source = $1 and partition = $2::integer returning source),
  over as (update ${own.letter} set state = 'superseded', resolved_at = clock_timestamp(), resolved_by = 'full sync', due_at = null,
      waiting_for = null
    where source = $1 and partition = $2::integer and state in ${live} and exists (select from moved)),
  gone as (delete from ${own.staging} where source = $1 and partition = $2::integer and exists (select from moved))
  select count(*) from moved`;

/** Adds to what a step counts; behind its compare-and-set, whose lock on the row it has. */
export function countRecords(lane: LaneName, more: number): Command {
  return {
    prepared: true,
    text: `update ${own.checkpoint} set records = records + $3 where source = $1 and partition = $2 returning ${checkpointColumns}`,
    values: [lane.source, String(lane.partition), String(more)],
  };
}

/**
 * The compare-and-set of a step (PROTOCOL.md 14). It fails when the row is not as expected, instead of updating nothing: what
 * comes behind it in the same round trip must not run then. (The cast can't be folded: it depends on the count.)
 */
export function moveCheckpoint(lane: LaneName, move: CheckpointMove): Command {
  return {
    prepared: true,
    text: `with moved as (
        update ${own.checkpoint} set position = $5, staged_through = $6, total = $7, incarnation = $8,
          records = records + $9, last_sync_at = clock_timestamp(), steps = steps + 1
        where source = $1 and partition = $2 and epoch = $3 and position = $4 and staged_through is not distinct from $10
        returning ${checkpointColumns})
      select moved.* from moved right join (select count(*) as n from moved) c on true
      where case when c.n = 1 then true else ('lockstep: another session owns this lane: ' || c.n)::boolean end`,
    values: [
      lane.source,
      String(lane.partition),
      String(move.from.epoch),
      move.from.position,
      move.to,
      move.stagedThrough ?? null,
      String(move.total),
      move.incarnation,
      String(move.records),
      move.from.stagedThrough ?? null,
    ],
  };
}
