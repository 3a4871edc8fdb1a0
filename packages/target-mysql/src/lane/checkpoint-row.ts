import type { Checkpoint, CheckpointMove, Position } from "@lockstep/core";
import type { Row, Session } from "../session/session.js";

/** A lane by name. */
export interface LaneId {
  readonly source: string;
  readonly partition: number;
}

/** A checkpoint, and how many steps its lane has made: what tells after a lost reply whether the last one is in. */
export interface CheckpointRow {
  readonly checkpoint: Checkpoint;
  readonly steps: number;
}

const columns =
  "source, part, position, epoch, incarnation, total, records_synced AS recordsSynced, last_sync_at AS lastSyncAt, seeded, staged_through AS stagedThrough, paused, steps, restarts";
const byLane = "WHERE source = ? AND part = ?";

/** The checkpoint of a lane; with `lock` it waits for whoever is changing it. */
export async function readCheckpoint(
  session: Session,
  lane: LaneId,
  lock: "lock" | "look" = "look",
): Promise<CheckpointRow | undefined> {
  const sql = `SELECT ${columns} FROM lockstep_checkpoint ${byLane}${lock === "lock" ? " FOR UPDATE" : ""}`;
  const [row] = await session.rows(sql, [lane.source, lane.partition]);
  return row === undefined ? undefined : rowOf(row);
}

const noSuchTable = 1146;

/** Checkpoints of all lanes. */
export async function readCheckpoints(session: Session): Promise<readonly (Checkpoint & LaneId)[]> {
  const rows = await session
    .rows(`SELECT ${columns} FROM lockstep_checkpoint ORDER BY source, part`)
    .catch((error: unknown) => {
      if (error instanceof Error && "errno" in error && error.errno === noSuchTable) return [];
      throw error;
    });
  return rows.map((row) => ({
    ...rowOf(row).checkpoint,
    source: row["source"]!,
    partition: Number(row["part"]),
  }));
}

/** Makes the lane this session's own: whoever had it before is fenced out from now on. False when there is no such lane. */
export async function takeEpoch(session: Session, lane: LaneId): Promise<boolean> {
  const found = await session.write(`UPDATE lockstep_checkpoint SET epoch = epoch + 1 ${byLane}`, [
    lane.source,
    lane.partition,
  ]);
  return found === 1;
}

/**
 * Counts rows that were loaded while lanes are held, and says how many of them still are; their rows are locked until the commit. It also says whose
 * change this is where the target is itself captured from its log (PROTOCOL.md 37).
 */
export function countHeld(
  session: Session,
  source: string,
  held: readonly { readonly partition: number; readonly epoch: number }[],
  more: number,
): Promise<number> {
  const lanes = held.map(() => "(part = ? AND epoch = ?)").join(" OR ");
  return session.write(
    `UPDATE lockstep_checkpoint SET records_synced = records_synced + IF(part = ?, ?, 0), last_sync_at = ? WHERE source = ? AND (${lanes})`,
    [
      held[0]?.partition ?? 0,
      more,
      Date.now(),
      source,
      ...held.flatMap(({ partition, epoch }) => [partition, epoch]),
    ],
  );
}

/** Writes the first checkpoint. Throws the driver's error 1062 when there is one. */
export async function insertCheckpoint(
  session: Session,
  lane: LaneId,
  start: { readonly position: Position; readonly incarnation: string },
): Promise<void> {
  await session.write(
    `INSERT INTO lockstep_checkpoint (source, part, position, epoch, incarnation, total, records_synced, seeded, paused, steps)
     VALUES (?, ?, ?, 1, ?, 0, 0, 0, 0, 0)`,
    [lane.source, lane.partition, start.position, start.incarnation],
  );
}

/** True when a checkpoint was there to be changed. */
export async function setPausedFlag(session: Session, lane: LaneId, paused: boolean): Promise<boolean> {
  const found = await session.write(`UPDATE lockstep_checkpoint SET paused = ? ${byLane}`, [
    paused ? 1 : 0,
    lane.source,
    lane.partition,
  ]);
  return found === 1;
}

/** Puts a lane where a full sync begins; its letters and staged parts are over. False when there is no such lane. */
export async function restartLane(
  session: Session,
  lane: LaneId,
  { position, incarnation }: { readonly position: Position; readonly incarnation: string },
): Promise<boolean> {
  const by = [lane.source, lane.partition];
  const [, moved] = await session.script(
    [
      "START TRANSACTION",
      `UPDATE lockstep_checkpoint SET position = ?, incarnation = ?, epoch = epoch + 1, restarts = restarts + 1, staged_through = NULL, seeded = 0 ${byLane}`,
      `UPDATE lockstep_dead_letter SET state = 'superseded', resolved_at = ?, resolved_by = 'full sync', due_at = NULL, waiting_for = NULL
  ${byLane} AND state IN ('retrying', 'due', 'waiting', 'dead')`,
      `DELETE FROM lockstep_staging ${byLane}`,
      "COMMIT",
    ],
    [position, incarnation, ...by, Date.now(), ...by, ...by],
  );
  return moved === 1;
}

/** Says that a full sync has copied the lane's older rows; false when there is no such lane. */
export async function setSeededFlag(session: Session, lane: LaneId): Promise<boolean> {
  const values = [lane.source, lane.partition];
  return (await session.write(`UPDATE lockstep_checkpoint SET seeded = 1 ${byLane}`, values)) === 1;
}

/**
 * Begins the transaction of a step and moves the checkpoint, in one round trip. The compare-and-set is the *first* statement
 * (PROTOCOL.md 14): from here on the row's lock keeps every other owner out. `undefined` when another owner has moved it.
 */
export async function beginByMoving(
  session: Session,
  lane: LaneId,
  move: CheckpointMove,
  now: number,
): Promise<CheckpointRow | undefined> {
  const [, moved, rows] = await session.script(
    [
      "START TRANSACTION",
      `UPDATE lockstep_checkpoint SET position = ?, total = ?, incarnation = ?, records_synced = records_synced + ?, last_sync_at = ?,
         staged_through = ?, steps = steps + 1 ${byLane} AND epoch = ? AND position = ? AND staged_through <=> ?`,
      `SELECT ${columns} FROM lockstep_checkpoint ${byLane}`,
    ],
    [
      move.to,
      move.total,
      move.incarnation,
      move.records,
      now,
      move.stagedThrough ?? null,
      lane.source,
      lane.partition,
      move.from.epoch,
      move.from.position,
      move.from.stagedThrough ?? null,
      lane.source,
      lane.partition,
    ],
  );
  if (moved !== 1 || rows === undefined || typeof rows === "number") return undefined;
  return rows[0] === undefined ? undefined : rowOf(rows[0]);
}

/** Adds to what a step counts; behind its compare-and-set, whose lock on the row it has. */
export async function countRecords(session: Session, lane: LaneId, more: number): Promise<void> {
  await session.write(`UPDATE lockstep_checkpoint SET records_synced = records_synced + ? ${byLane}`, [
    more,
    lane.source,
    lane.partition,
  ]);
}

function rowOf(row: Row): CheckpointRow {
  const checkpoint: Checkpoint = {
    position: row["position"] as Position,
    epoch: Number(row["epoch"]),
    incarnation: row["incarnation"]!,
    total: Number(row["total"]),
    recordsSynced: Number(row["recordsSynced"]),
    ...(row["lastSyncAt"] ? { lastSyncAt: Number(row["lastSyncAt"]) } : {}),
    seeded: row["seeded"] === "1",
    ...(row["stagedThrough"] ? { stagedThrough: row["stagedThrough"] as Position } : {}),
    paused: row["paused"] === "1",
    restarts: Number(row["restarts"]),
  };
  return { checkpoint, steps: Number(row["steps"]) };
}
