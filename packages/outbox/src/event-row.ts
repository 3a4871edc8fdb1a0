import { letterOf, LockstepError, type LoggedEvent, type LoggedPack, opOfLetter } from "@lockstep/core";
import { changesIn, type RowChange, unmarkedFingerprint } from "./pack.js";
import type { Tick } from "./tick.js";

/**
 * A row of the outbox as both engines select it, all texts: transaction, id, time in UTC, op letter, fingerprint, key, image,
 * previous key, traceparent, origin, audience, bytes of an image that was left behind (see `large-images.ts`), version, then what the engine adds.
 */
export type EventRow = readonly (string | null)[];

/** Whether the row changes nothing. */
export function isMarker(row: EventRow): boolean {
  return row[3] === letterOf.barrier;
}

/** Fingerprint of the schema that the row's image follows. */
export function fingerprintOfRow(row: EventRow): string {
  return unmarkedFingerprint(row[4]!);
}

/** What a row says of its change, or of all that it packs. */
export function changeOfRow(row: EventRow): RowChange {
  return { op: row[3]!, key: row[5]!, image: row[6], before: row[7], version: row[12] };
}

/** What names the row's audience: rows of one transaction may differ in it. */
export function audienceOf(row: EventRow): string {
  return row[10] ?? "";
}

/** How an audience is written in the outbox. */
export function audienceText(audience: readonly string[] | undefined): string | null {
  return audience === undefined ? null : audience.join(" ");
}

/** The transaction a row belongs to, as its row says. */
export function transactionOf(row: EventRow, id: string): LoggedEvent["transaction"] {
  const traceparent = row[8];
  const origin = row[9];
  const audience = audienceOf(row);
  return {
    id,
    at: millisecondsOf(row[2]!),
    ...(traceparent ? { traceparent } : {}),
    ...(origin ? { origin } : {}),
    ...(audience ? { audience: audience.split(" ") } : {}),
  };
}

/** Milliseconds since 1970 of a time in UTC as a database prints it. */
function millisecondsOf(text: string): number {
  return Date.parse(`${text.replace(" ", "T").replace(/\+00$/, "")}Z`);
}

/** Where an event stands, or the last one of a row that packs. */
export interface EventPlace {
  /** Its place in its tick, from 1. */
  readonly ordinal: number;
  readonly schema: string;
  readonly table: LoggedEvent["table"];
  readonly transaction: LoggedEvent["transaction"];
  readonly endsTransaction: boolean;
}

/** The event that a change is there. */
export function eventOf(
  { op, key, image, before, version }: RowChange,
  tick: Tick,
  place: EventPlace,
): LoggedEvent {
  const { ordinal, schema, table, transaction, endsTransaction } = place;
  const event: { -readonly [P in keyof LoggedEvent]: LoggedEvent[P] } = {
    ordinal,
    op: opOfLetter(op)!,
    schema,
    key,
    tick: tick.n,
    table,
    transaction,
    endsTransaction,
    endsTick: ordinal === tick.events,
    total: tick.total - tick.events + ordinal,
  };
  if (image != null) event.image = image;
  if (before != null) event.before = before;
  if (version != null) event.version = version;
  return event;
}

/**
 * The events of a row that packs, as it has them: not for one whose changes have versions.
 * @throws LockstepError HISTORY_GONE when its lines aren't as many as it says.
 */
export function packOf(row: RowChange, tick: Tick, place: EventPlace): LoggedPack {
  const { ordinal, schema, table, transaction, endsTransaction } = place;
  const lines = row.image!;
  const count = changesIn(row);
  let ends = 0;
  for (let at = lines.indexOf("\n"); at !== -1; at = lines.indexOf("\n", at + 1)) ends++;
  if (ends + 1 !== count) throw tickDamaged(tick);
  // Not `{ ...place, … }`, here and wherever much passes by: V8 gives each object that is made so a hidden class of its own, and takes 3 µs for it.
  return {
    ordinal,
    schema,
    table,
    transaction,
    endsTransaction,
    count,
    lines,
    tick: tick.n,
    endsTick: ordinal === tick.events,
    total: tick.total - tick.events + ordinal,
  };
}

/** The outbox holds something else than what the tick was cut with. */
export function tickDamaged(tick: Tick): LockstepError {
  return new LockstepError("HISTORY_GONE", `tick ${tick.n} no longer has the rows it was cut with`, {
    details: { tick: String(tick.n), events: tick.events },
  });
}
