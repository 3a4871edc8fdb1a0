import type pg from "pg";
import { changeOfRow, type EventRow } from "../event-row.js";
import { emptyPage, type LightPage } from "../large-images.js";
import { changesIn } from "../pack.js";
import { endSoon } from "./connections.js";
import { addedColumns, decoderOf, eventColumns, type TickDecoder } from "./decode.js";
import type { Reading } from "./read.js";
import type { SnapshotTick } from "./snapshot-tick.js";

/** A read that nobody asks for more is given up after this; its transaction would hold back the source's VACUUM, ms. */
const maxIdleMs = 3_000;

/**
 * One tick by a cursor. Its transactions are listed from the index and sorted once, then their rows follow in index order; the
 * rows themselves are never sorted. The decoder checks that the plan really gives this order. When the reader takes its time (the
 * stream is full), the cursor is closed, and opened again behind the last row that was given.
 */
export async function* readBigTick(reading: Reading, tick: SnapshotTick): AsyncGenerator<LightPage> {
  const decoder = decoderOf(tick);
  let after: EventRow | undefined;
  for (;;) {
    await using cursor = await openCursor(reading, tick, after);
    while (!cursor.isGivenUp()) {
      const rows = await cursor.next();
      if (rows.length === 0) return decoder.finish();
      after = rows.at(-1);
      for await (const page of pagesOf(rows, decoder, reading)) {
        const idle = setTimeout(() => cursor.giveUp(), maxIdleMs);
        try {
          yield page;
        } finally {
          clearTimeout(idle);
        }
      }
    }
  }
}

/** The rows' events, in pages that only the last row's make larger than asked for. */
async function* pagesOf(
  rows: readonly EventRow[],
  decoder: TickDecoder,
  { schemas, pageEvents }: Reading,
): AsyncGenerator<LightPage> {
  const tableOf = await schemas.tablesOf(rows);
  let page = emptyPage();
  let events = 0;
  for (const row of rows) {
    decoder.decode(row, row[addedColumns.last]!, tableOf(row), page);
    events += changesIn(changeOfRow(row));
    if (events < pageEvents && row !== rows.at(-1)) continue;
    yield page;
    page = emptyPage();
    events = 0;
  }
}

/** The rows of a tick, about a page at a time, in a transaction that is open as long as the cursor is. */
interface Cursor extends AsyncDisposable {
  /** The next ones; empty behind the last row. */
  next(): Promise<EventRow[]>;
  giveUp(): void;
  isGivenUp(): boolean;
}

async function openCursor(
  reading: Reading,
  tick: SnapshotTick,
  after: EventRow | undefined,
): Promise<Cursor> {
  const { connections, pageEvents } = reading;
  const client = await connections.open();
  let isGivenUp = false;
  let ahead: Promise<EventRow[]> | undefined;
  const close = (): Promise<void> => endSoon(client);
  try {
    await client.query("begin read only");
    await client.query(declareCursor(reading.outbox, tick, after));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async next() {
      const rows = await (ahead ?? fetchRows(client, pageEvents));
      ahead = rows.length === 0 ? undefined : fetchRows(client, rowsOfPage(rows, pageEvents));
      // The next page is under way while this one is worked on; when the reader leaves early, nobody waits for it.
      ahead?.catch(() => undefined);
      return rows;
    },
    giveUp() {
      if (!isGivenUp) void close();
      isGivenUp = true;
    },
    isGivenUp: () => isGivenUp,
    [Symbol.asyncDispose]: close,
  };
}

function declareCursor(outbox: string, { previous, snapshot }: SnapshotTick, after: EventRow | undefined) {
  const [last, seq] = after ? [after[addedColumns.last], after[1]] : ["0", "0"];
  return {
    text: `declare page no scroll cursor for with tx as materialized (
  select m.xid, max(m.seq) as last from (
    select w.xid, w.seq from ${outbox} w
     where w.xid >= pg_snapshot_xmax($1::pg_snapshot) and w.xid < pg_snapshot_xmax($2::pg_snapshot)
    union all
    select w.xid, w.seq from ${outbox} w where w.xid = any (array(select pg_snapshot_xip($1::pg_snapshot)))
  ) m where pg_visible_in_snapshot(m.xid, $2::pg_snapshot) group by m.xid
)
select ${eventColumns}, tx.last from (select * from tx where last >= $3::bigint order by last) tx
 cross join lateral (
   select * from ${outbox} r
    where r.xid = tx.xid and r.seq > case when tx.last = $3::bigint then $4::bigint else 0 end order by r.seq) o`,
    values: [previous, snapshot, last, seq],
  };
}

/** How many rows give about a page, if each packs as many changes as these do. Pure. */
function rowsOfPage(rows: readonly EventRow[], pageEvents: number): number {
  const events = rows.reduce((sum, row) => sum + changesIn(changeOfRow(row)), 0);
  return Math.ceil((pageEvents * rows.length) / events);
}

async function fetchRows(client: pg.ClientBase, count: number): Promise<EventRow[]> {
  const { rows } = await client.query<(string | null)[]>({
    text: `fetch ${count} from page`,
    rowMode: "array",
  });
  return rows;
}
