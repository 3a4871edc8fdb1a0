import { splitPosition, type Position } from "@lockstep/core";
import type { Lasting } from "@lockstep/outbox";
import { mayLead, type OutboxNames, readKept } from "@lockstep/outbox/postgres";
import type pg from "pg";
import { comparePlaces, type Place } from "../tail/place.js";
import type { Tail } from "../tail/tail.js";
import { confirmPoint, type ConfirmPoint } from "./confirm-point.js";
import { markersText } from "./log-state.js";
import type { Markers } from "./markers.js";

/** What the leading reader of a log knows of it. */
export interface Keeping {
  readonly tail: Tail;
  readonly markers: Markers;
  confirmed: bigint;
  pruned: Position;
  /** What has been too old for so long that no clock is to blame. */
  readonly lasting: Lasting;
  /** The newest place that was kept in the source, and when. */
  kept?: { readonly tick: bigint | undefined; readonly at: number };
}

/** What pruning may rely on. */
export interface PruneFacts {
  /** The stream holds everything up to here. */
  readonly published: Place | undefined;
  /** Slow targets hold nothing back: what is published is confirmed. */
  readonly atPublication: boolean;
  /** The most a target may lag, ms, before it is marked `needs-backfill` and no longer holds the log back. */
  readonly maxAgeMs: number;
}

/**
 * Lets the server forget what every following target has applied: first the source's own record of it, then the slot. A crash between the
 * two only has the server send again what is known to be done with. Returns by how many events the record moved.
 */
export async function pruneLog(
  client: pg.ClientBase,
  names: OutboxNames,
  keeping: Keeping,
  facts: PruneFacts,
): Promise<number> {
  const { s } = names;
  const { markers } = keeping;
  const before = markers.first?.total ?? 0;
  await client.query("begin isolation level read committed");
  // The lock that registration takes: a target that registers now starts behind whatever is confirmed here.
  await client.query(`select from ${s}.state for update`);
  const kept = await readKept(client, s);
  mayLead(kept, "wal");
  await markLagging(client, s, keeping, facts.maxAgeMs);
  // Behind the end of this log the outbox is the next one.
  if (kept?.stage !== "turned") await emptyOutbox(client, names, kept?.stage === "beside" ? watchableMs : 0);
  else await keepEnd(client, s, keeping);
  const slowest = facts.atPublication ? undefined : await slowestTarget(client, s);
  const applied = slowest ?? facts.published;
  const point = applied && confirmPoint(factsOf(keeping, applied));
  if (point) await keep(client, s, keeping, point);
  else await keepMarkers(client, s, keeping);
  await client.query("commit");
  if (!point) return 0;
  keeping.tail.stream.confirm(point.lsn);
  return (markers.first?.total ?? before) - before;
}

/** Says where the log ends, for whoever waits until everybody has got there. */
async function keepEnd(client: pg.ClientBase, s: string, { tail }: Keeping): Promise<void> {
  const end = tail.stream.end();
  if (end === undefined) return;
  await client.query(`update ${s}.state set capture_end = $1, pruned_total = $2`, [end, tail.stream.total()]);
}

/** What others wrote into the outbox is in the log: the rows themselves have done their work (PROTOCOL.md 27). */
async function emptyOutbox(client: pg.ClientBase, { outbox }: OutboxNames, keepMs: number): Promise<void> {
  await client.query(
    `delete from ${outbox} where (xid, seq) in (select xid, seq from ${outbox}
       where at <= clock_timestamp() - $1 * interval '1 millisecond' limit 10000)`,
    [keepMs],
  );
}

/** While the source changes over to what processes write, it is looked whether they write everything. */
const watchableMs = 60_000;

function factsOf({ tail, markers, confirmed, pruned }: Keeping, applied: Place) {
  const { window, stream } = tail;
  const last = window.last ?? tail.after;
  return { applied, last, isWithin: stream.isWithin(), passed: stream.passed(), confirmed, pruned, markers };
}

async function keep(
  client: pg.ClientBase,
  s: string,
  keeping: Keeping,
  { lsn, pruned }: ConfirmPoint,
): Promise<void> {
  const { markers, tail } = keeping;
  // Behind everything: from there on the count is known without a transaction to name it.
  if (lsn > (markers.newest?.tick ?? -1n))
    markers.note({ tick: lsn, total: tail.stream.total(), at: behindAll });
  markers.dropBefore(lsn);
  keeping.confirmed = lsn;
  keeping.pruned = pruned;
  const { tick, n } = splitPosition(pruned);
  // Never backward: a relay that was deposed and doesn't know it yet must not take a place back.
  await client.query(
    `update ${s}.wal set confirmed = $1, pruned_tick = $2, pruned_n = $3, markers = $4 where confirmed <= $1`,
    [String(lsn), String(tick), String(n), markersText(markers)],
  );
}

const keepMarkersMs = 10_000;

/** While a slow target holds the slot, places go on being kept: a relay that begins at the end must not count from the beginning. */
async function keepMarkers(client: pg.ClientBase, s: string, keeping: Keeping): Promise<void> {
  const { markers, kept } = keeping;
  const newest = markers.newest?.tick;
  if (newest === kept?.tick || performance.now() - (kept?.at ?? -Infinity) < keepMarkersMs) return;
  keeping.kept = { tick: newest, at: performance.now() };
  await client.query(`update ${s}.wal set markers = $1 where confirmed = $2`, [
    markersText(markers),
    String(keeping.confirmed),
  ]);
}

/** The time of a marker that stands for no transaction. */
const behindAll = Number.MAX_SAFE_INTEGER;

/** Targets that are further behind than the retention allows: a transaction that they haven't applied is too old. */
async function markLagging(
  client: pg.ClientBase,
  s: string,
  { tail, markers, lasting }: Keeping,
  maxAgeMs: number,
): Promise<void> {
  const tooOld = tail.stream.clock() - maxAgeMs;
  const limit = lasting(markers.last(({ at }) => at < tooOld)?.tick ?? 0n);
  if (limit === 0n) return;
  await client.query(
    `update ${s}.target set state = 'needs-backfill' where state = 'following' and tick < $1`,
    [String(limit)],
  );
}

/** How far the slowest following target is. */
export async function slowestTarget(client: pg.ClientBase, s: string): Promise<Place | undefined> {
  const { rows } = await client.query<{ tick: string; n: string }>(
    `select tick, n from ${s}.target where state = 'following' order by tick, n limit 1`,
  );
  const [row] = rows;
  return row && { tick: BigInt(row.tick), n: Number(row.n) };
}

/** Events that `applied` has not, and the age of the oldest. From what is in memory; where places have thinned out, a little too many. */
export function backlogBehind(
  { tail, markers }: Pick<Keeping, "tail" | "markers">,
  applied: Place,
): { readonly events: number; readonly oldestMs: number } {
  const { stream, window } = tail;
  const last = window.last ?? tail.after;
  if (comparePlaces(applied, last) >= 0) return { events: 0, oldestMs: 0 };
  const marker = markers.atOrBefore(applied.tick) ?? markers.first;
  const done = marker === undefined ? 0 : marker.total + (marker.tick === applied.tick ? applied.n : 0);
  const oldest = markers.after(applied.tick) ?? marker;
  const age = oldest === undefined || oldest.at === behindAll ? 0 : stream.clock() - oldest.at;
  return { events: Math.max(1, stream.total() - done), oldestMs: Math.max(1, Math.round(age)) };
}
