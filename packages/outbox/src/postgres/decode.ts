import { type LoggedEvent, packLetter } from "@lockstep/core";
import {
  audienceOf,
  changeOfRow,
  eventOf,
  fingerprintOfRow,
  packOf,
  tickDamaged,
  transactionOf,
  type EventRow,
} from "../event-row.js";
import { addTo, type LightPage, maxInlineBytes } from "../large-images.js";
import { changesIn, unpack } from "../pack.js";
import type { Tick } from "../tick.js";

// Those that are packed are not large, or few of them are.
const isLarge = `o.op <> '${packLetter}' and octet_length(o.image) > ${maxInlineBytes}`;

/**
 * Columns of an event, of the outbox row `o`. Texts only: see `connections.ts`. The length of a value that lies outside of its row is known
 * without reading it.
 */
export const eventColumns = `o.xid, o.seq, o.at, o.op, o.fingerprint, o.key, case when ${isLarge} then null else o.image end, o.before,
  o.traceparent, o.origin, o.audience, case when ${isLarge} then octet_length(o.image) end, o.version`;

/** Where what a query adds to {@link eventColumns} stands: the last id of the row's transaction, the tick. */
export const addedColumns = { last: 13, tick: 14 } as const;

/** Turns the rows of one tick, in their order, into events. */
export interface TickDecoder {
  /** Adds a row's events to a page. @throws LockstepError HISTORY_GONE when a row is not the one that follows. */
  decode(row: EventRow, last: string, table: LoggedEvent["table"], page: LightPage): void;
  /** Call after the last row. @throws LockstepError HISTORY_GONE when rows are missing. */
  finish(): void;
}

/** Checks while it decodes: the order of the plan, and that the tick still has all the rows it was cut with. */
export function decoderOf(tick: Tick): TickDecoder {
  let ordinal = 0;
  let lastOfTransaction = "";
  let seqBefore = "";
  let audience = "";
  let transaction: LoggedEvent["transaction"] = { id: "", at: 0 };
  return {
    decode(row, last, table, page) {
      const [xid, seq] = row as readonly [string, string];
      if (last !== lastOfTransaction) {
        if (!precedes(lastOfTransaction, last)) throw tickDamaged(tick);
        lastOfTransaction = last;
        transaction = transactionOf(row, xid);
        audience = audienceOf(row);
      } else if (!precedes(seqBefore, seq) || xid !== transaction.id) {
        throw tickDamaged(tick);
      }
      seqBefore = seq;
      if (audienceOf(row) !== audience) {
        transaction = transactionOf(row, xid);
        audience = audienceOf(row);
      }
      const schema = fingerprintOfRow(row);
      const packed = changeOfRow(row);
      if (packed.op === packLetter && packed.version == null) {
        ordinal += changesIn(packed);
        const place = { ordinal, schema, table, transaction, endsTransaction: seq === last };
        page.events.push(packOf(packed, tick, place));
        return;
      }
      const changes = unpack(packed);
      changes.forEach((change, i) => {
        const endsTransaction = seq === last && i === changes.length - 1;
        const place = { ordinal: ++ordinal, schema, table, transaction, endsTransaction };
        addTo(page, eventOf(change, tick, place), row);
      });
    },
    finish() {
      if (ordinal !== tick.events) throw tickDamaged(tick);
    },
  };
}

/** Numeric order of two decimal texts without sign. */
function precedes(a: string, b: string): boolean {
  return a.length < b.length || (a.length === b.length && a < b);
}
