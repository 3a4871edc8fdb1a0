import { LockstepError, type LoggedChanges, type LoggedEvent, type Position } from "@lockstep/core";
import {
  audienceOf,
  changeOfRow,
  eventOf,
  fingerprintOfRow,
  tickDamaged,
  transactionOf,
  type EventRow,
} from "../event-row.js";
import { addTo, emptyPage, maxInlineBytes, type FetchImages, type LightPage } from "../large-images.js";
import type { SchemaCache } from "../schema-cache.js";
import { readTicks } from "../read-ticks.js";
import type { TickMemory } from "../tick.js";
import { arrangement, type Arranged } from "./arrange.js";
import type { Connections } from "./connections.js";
import type { MarkedTick } from "./cut.js";
import type { TableNames } from "./ddl.js";

/** What a read works with. */
export interface Reading {
  readonly connections: Connections;
  readonly names: TableNames;
  readonly schemas: SchemaCache;
  readonly ticks: TickMemory<MarkedTick>;
  readonly pageEvents: number;
  readonly signal?: AbortSignal | undefined;
}

const ticksPerLook = 256;
const pagesKept = 10;

const isLarge = `LENGTH(image) > ${maxInlineBytes}`;
const columns = `tx, id, at, op, fingerprint, row_key, IF(${isLarge}, NULL, image), before_key, traceparent, origin, audience,
  IF(${isLarge}, LENGTH(image), NULL), version, CAST(ends_tx AS CHAR), tick`;
const endsTxColumn = 13;
const tickColumn = 14;

/** Events after `after`, page by page. Pages are read by id: no order is computed, and no read stays open (PROTOCOL.md 13). */
export function readEvents(reading: Reading, after: Position): AsyncIterable<readonly LoggedChanges[]> {
  const lookUp = (tick: bigint, n: bigint) => lookUpTicks(reading, tick, n);
  const pages = (group: readonly MarkedTick[]) => pagesOf(reading, group);
  return readTicks({ ...reading, lookUp, pagesOf: pages, fetchImages: imagesOf(reading) }, after);
}

/** The ticks that hold what follows ordinal `n` of tick `after`. */
async function lookUpTicks({ connections, names }: Reading, after: bigint, n: bigint): Promise<MarkedTick[]> {
  const rows = await connections.use((session) =>
    session.rows(`SELECT t.n, t.events, t.total, t.atomic, (SELECT pruned_through FROM ${names.state})
  FROM ${names.tick} t WHERE t.n >= ${after} ORDER BY t.n LIMIT ${ticksPerLook}`),
  );
  const ticks: MarkedTick[] = [];
  for (const [number, events, total, atomic, prunedThrough] of rows) {
    const tick = {
      n: BigInt(number!),
      events: Number(events),
      total: Number(total),
      atomic: Number(atomic) === 1,
    };
    if (tick.n === after && n >= BigInt(tick.events)) continue;
    if (tick.n <= BigInt(prunedThrough!) || (ticks.length === 0 && tick.n > after + 1n)) {
      throw new LockstepError("HISTORY_GONE", `the outbox is pruned through tick ${prunedThrough}`);
    }
    ticks.push(tick);
  }
  return ticks;
}

/** The events of consecutive ticks, which together fit a page or are one large tick. */
async function* pagesOf(reading: Reading, ticks: readonly MarkedTick[]): AsyncGenerator<LightPage> {
  const numbers = ticks.map((tick) => String(tick.n));
  let page = emptyPage();
  let index = 0;
  let decoder = decoderOf(ticks[0]!);
  let order = arrangement(reading.pageEvents * pagesKept);
  for await (const rows of rowsOf(reading, numbers)) {
    const tableOf = await reading.schemas.tablesOf(rows);
    for (const row of rows) {
      while (row[tickColumn] !== numbers[index]) {
        decoder.finish(order.open);
        decoder = decoderOf(ticks[++index]!);
        order = arrangement(reading.pageEvents * pagesKept);
      }
      const next = ticks[index]!.atomic ? [row] : order.add(row);
      for await (const part of next ? partsOf(reading, numbers[index]!, next) : []) {
        for (const row of part) {
          addTo(page, decoder.decode(row, tableOf(row)), row);
          if (page.events.length < reading.pageEvents) continue;
          yield page;
          page = emptyPage();
        }
      }
    }
  }
  decoder.finish(order.open);
  if (page.events.length > 0) yield page;
}

/** A transaction's rows; one that was set aside is read again, a page at a time. */
async function* partsOf(reading: Reading, tick: string, next: Arranged): AsyncGenerator<readonly EventRow[]> {
  if ("tx" in next) {
    yield* rowsOfTick(reading, tick, ` AND tx = '${next.tx}' AND id BETWEEN ${next.from} AND ${next.to}`);
  } else {
    yield next;
  }
}

/** Rows of one tick by id, a page at a time: each page is a query of its own, so that no read view stays open. */
async function* rowsOfTick(reading: Reading, tick: string, condition = ""): AsyncGenerator<EventRow[]> {
  let above = "";
  for (;;) {
    const rows = await select(reading, `tick = ${tick}${condition}${above}`, ` LIMIT ${reading.pageEvents}`);
    if (rows.length > 0) yield rows;
    if (rows.length < reading.pageEvents) return;
    above = ` AND id > ${rows.at(-1)![1]}`;
  }
}

async function select({ connections, names }: Reading, where: string, limit = ""): Promise<EventRow[]> {
  const rows = await connections.use((session) =>
    session.rows(
      `SELECT ${columns} FROM ${names.outbox} FORCE INDEX (by_tick) WHERE ${where} ORDER BY tick, id${limit}`,
    ),
  );
  return rows as EventRow[];
}

function imagesOf({ connections, names }: Reading): FetchImages {
  return async (images) => {
    const ids = images.map(({ id }) => id).join(",");
    const rows = await connections.use((session) =>
      session.rows(`SELECT id, image FROM ${names.outbox} WHERE id IN (${ids})`),
    );
    return new Map(rows.map(([id, image]) => [String(id), String(image)]));
  };
}

async function* rowsOf(reading: Reading, ticks: readonly string[]): AsyncGenerator<EventRow[]> {
  if (ticks.length === 1) yield* rowsOfTick(reading, ticks[0]!);
  else yield await select(reading, `tick BETWEEN ${ticks[0]} AND ${ticks.at(-1)}`);
}

/** Turns rows in their order into events, and checks that the tick has all the rows it was cut with. */
function decoderOf(tick: MarkedTick): {
  decode(row: EventRow, table: LoggedEvent["table"]): LoggedEvent;
  finish(open: number): void;
} {
  let ordinal = 0;
  let audience = "";
  let transaction: LoggedEvent["transaction"] = { id: "", at: 0 };
  return {
    decode(row, table) {
      const id = tick.atomic ? `tick-${tick.n}` : row[0]!;
      // A tick of triggers' rows is one transaction: what a full sync wrote between them is still for its targets only.
      if (transaction.id !== id || audienceOf(row) !== audience) {
        transaction = transactionOf(row, id);
        audience = audienceOf(row);
      }
      ordinal++;
      const endsTransaction = tick.atomic ? ordinal === tick.events : row[endsTxColumn] === "1";
      const schema = fingerprintOfRow(row);
      return eventOf(changeOfRow(row), tick, { ordinal, schema, table, transaction, endsTransaction });
    },
    finish(open) {
      if (ordinal !== tick.events || open !== 0) throw tickDamaged(tick);
    },
  };
}
