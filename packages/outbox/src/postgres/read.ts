import { LockstepError, type LoggedChanges, type Position } from "@lockstep/core";
import type { SchemaCache } from "../schema-cache.js";
import { emptyPage, type FetchImages, type LightPage } from "../large-images.js";
import { readTicks } from "../read-ticks.js";
import { rowsOf, type TickMemory } from "../tick.js";
import { readBigTick } from "./big-tick.js";
import type { Connections } from "./connections.js";
import { addedColumns, decoderOf, eventColumns } from "./decode.js";
import type { SnapshotTick } from "./snapshot-tick.js";

/** What a read works with. */
export interface Reading {
  readonly connections: Connections;
  /** Quoted: the outbox's schema, and the outbox. */
  readonly s: string;
  readonly outbox: string;
  readonly schemas: SchemaCache;
  readonly ticks: TickMemory<SnapshotTick>;
  readonly pageEvents: number;
  readonly signal?: AbortSignal | undefined;
}

const ticksPerLook = 256;

/**
 * Events after `after`, page by page. Small ticks are read many at a time; a tick larger than a page by a cursor, so that its
 * order is computed once and memory stays flat (PROTOCOL.md 13).
 */
export function readEvents(reading: Reading, after: Position): AsyncIterable<readonly LoggedChanges[]> {
  const lookUp = (tick: bigint, n: bigint) => lookUpTicks(reading, tick, n);
  const pages = (group: readonly SnapshotTick[]) => pagesOf(reading, group);
  return readTicks({ ...reading, lookUp, pagesOf: pages, fetchImages: imagesOf(reading) }, after);
}

function pagesOf(reading: Reading, group: readonly SnapshotTick[]): AsyncGenerator<LightPage> {
  const [first] = group;
  return group.length === 1 && rowsOf(first!) > reading.pageEvents
    ? readBigTick(reading, first!)
    : smallTicks(reading, group);
}

/** The ticks that hold what follows ordinal `n` of tick `after`. */
async function lookUpTicks({ connections, s }: Reading, after: bigint, n: bigint): Promise<SnapshotTick[]> {
  const { rows } = await connections.use((client) =>
    client.query<(string | null)[]>({
      name: "lockstep look up",
      text: `select t.n, t.events, t.total, p.snapshot, t.snapshot, (select max(pruned_through) from ${s}.state)
  from ${s}.tick t left join ${s}.tick p on p.n = t.n - 1 where t.n >= $1 order by t.n limit ${ticksPerLook}`,
      values: [String(after)],
      rowMode: "array",
    }),
  );
  const ticks: SnapshotTick[] = [];
  for (const [number, events, total, previous, snapshot, prunedThrough] of rows) {
    const tick = { n: BigInt(number!), events: Number(events), total: Number(total) };
    if (tick.n === after && n >= BigInt(tick.events)) continue;
    if (tick.n <= BigInt(prunedThrough!) || previous == null) {
      throw new LockstepError("HISTORY_GONE", `the outbox is pruned through tick ${prunedThrough}`);
    }
    ticks.push({ ...tick, previous, snapshot: snapshot! });
  }
  return ticks;
}

/** A few ticks in one query. Order inside a tick: transactions by their last id, rows by id (PROTOCOL.md 9). */
async function* smallTicks(reading: Reading, ticks: readonly SnapshotTick[]): AsyncGenerator<LightPage> {
  const { rows } = await reading.connections.use((client) =>
    client.query<(string | null)[]>({
      name: "lockstep small ticks",
      text: `select ${eventColumns}, o.last, o.n from (
  select m.*, t.n, max(m.seq) over (partition by t.n, m.xid) as last
    from unnest($1::bigint[], $2::pg_snapshot[], $3::pg_snapshot[]) as t(n, previous, snapshot)
    cross join lateral (
      select * from ${reading.outbox} w where w.xid >= pg_snapshot_xmax(t.previous) and w.xid < pg_snapshot_xmax(t.snapshot)
      union all
      select w.* from pg_snapshot_xip(t.previous) p join ${reading.outbox} w on w.xid = p
    ) m
   where pg_visible_in_snapshot(m.xid, t.snapshot)) o
 order by o.n, o.last, o.seq`,
      values: [ticks.map((t) => String(t.n)), ticks.map((t) => t.previous), ticks.map((t) => t.snapshot)],
      rowMode: "array",
    }),
  );
  const tableOf = await reading.schemas.tablesOf(rows);
  const page = emptyPage();
  let index = 0;
  for (const tick of ticks) {
    const decoder = decoderOf(tick);
    for (let row = rows[index]; row && row[addedColumns.tick] === String(tick.n); row = rows[++index]) {
      decoder.decode(row, row[addedColumns.last]!, tableOf(row), page);
    }
    decoder.finish();
  }
  if (page.events.length > 0) yield page;
}

function imagesOf({ connections, outbox }: Reading): FetchImages {
  return async (images) => {
    const { rows } = await connections.use((client) =>
      client.query<string[]>({
        name: "lockstep images",
        text: `select o.seq, o.image from unnest($1::xid8[], $2::bigint[]) as t(xid, seq) join ${outbox} o using (xid, seq)`,
        values: [images.map((i) => i.transaction), images.map((i) => i.id)],
        rowMode: "array",
      }),
    );
    return new Map(rows.map(([seq, image]) => [seq!, image!]));
  };
}
