import { LockstepError, type LoggedEvent, type Op } from "@lockstep/core";
import type { Tick } from "./tick.js";

/** What a row of the outbox is read as, in the order of {@link eventColumns}. */
export type EventRow = readonly (string | null)[];

/** Columns of an event, of the outbox row `o`. Texts only: see `connections.ts`. */
export const eventColumns =
  "o.xid, o.seq, o.at, o.op, o.fingerprint, o.key, o.image, o.before, o.traceparent, o.origin";

const opOf: Readonly<Record<string, Op>> = {
  i: "insert",
  u: "update",
  d: "delete",
  s: "snapshot",
  t: "truncate",
  b: "barrier",
};

/** Turns the rows of one tick, in their order, into events. */
export interface TickDecoder {
  /** @throws LockstepError HISTORY_GONE when a row is not the one that follows. */
  decode(row: EventRow, last: string, table: LoggedEvent["table"]): LoggedEvent;
  /** Call after the last row. @throws LockstepError HISTORY_GONE when rows are missing. */
  finish(): void;
}

/** Checks while it decodes: the order of the plan, and that the tick still has all the rows it was cut with. */
export function decoderOf(tick: Tick): TickDecoder {
  let ordinal = 0;
  let lastOfTransaction = "";
  let seqBefore = "";
  let transaction: LoggedEvent["transaction"] = { id: "", at: 0 };
  const before = tick.total - tick.events;
  return {
    decode(row, last, table) {
      const [xid, seq] = row as readonly [string, string];
      if (last !== lastOfTransaction) {
        if (!precedes(lastOfTransaction, last)) throw disorder(tick);
        lastOfTransaction = last;
        transaction = transactionOf(row);
      } else if (!precedes(seqBefore, seq) || xid !== transaction.id) {
        throw disorder(tick);
      }
      seqBefore = seq;
      ordinal++;
      const image = row[6];
      const event: { -readonly [P in keyof LoggedEvent]: LoggedEvent[P] } = {
        ordinal,
        op: opOf[row[3]!]!,
        schema: row[4]!,
        key: row[5]!,
        tick: tick.n,
        table,
        transaction,
        endsTransaction: seq === last,
        endsTick: ordinal === tick.events,
        total: before + ordinal,
      };
      if (image != null) event.image = image;
      if (row[7] != null) event.before = row[7];
      return event;
    },
    finish() {
      if (ordinal !== tick.events) throw disorder(tick);
    },
  };
}

/** Numeric order of two decimal texts without sign. */
function precedes(a: string, b: string): boolean {
  return a.length < b.length || (a.length === b.length && a < b);
}

function transactionOf(row: EventRow): LoggedEvent["transaction"] {
  const traceparent = row[8];
  const origin = row[9];
  return {
    id: row[0]!,
    at: millisecondsOf(row[2]!),
    ...(traceparent ? { traceparent } : {}),
    ...(origin ? { origin } : {}),
  };
}

/** Milliseconds since 1970 of a timestamptz as a session in UTC prints it. */
function millisecondsOf(text: string): number {
  return Date.parse(text.replace(" ", "T").replace(/\+00$/, "Z"));
}

function disorder(tick: Tick): LockstepError {
  return new LockstepError("HISTORY_GONE", `tick ${tick.n} no longer has the rows it was cut with`, {
    details: { tick: String(tick.n), events: tick.events },
  });
}
