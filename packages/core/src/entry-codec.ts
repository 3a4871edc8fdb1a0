import type { ChangeEvent, StreamEntry, TransactionHeader } from "./change-event.js";
import { LockstepError } from "./errors.js";
import { letterOf, opOfLetter } from "./op-letter.js";
import { type Changes, isPacked, packLetter, changeOfLine } from "./packed-changes.js";
import { parsePosition } from "./position.js";

/**
 * The wire form of a stream entry: two texts, envelope and rows, kept apart so that rows are never parsed on the way.
 *
 * - `envelope`: JSON, see {@link Envelope}.
 * - `rows`: one line per event, tab-separated: ordinal, op letter, index into the envelope's schemas, key, image, before, version.
 *   Key, image, before and version are JSON texts, which hold no raw tab or line feed, so splitting is safe without escaping.
 *   Changes that are packed: a line with the last one's ordinal, the letter `p`, the index and their number; then their own lines as they are.
 */
export interface EncodedEntry {
  readonly envelope: string;
  readonly rows: string;
}

/**
 * Versions of the wire form; a reader refuses a higher one. Fields at a line's end are no new one: who doesn't know them does without, as
 * a consumer of before two-way tables does without versions (it has none of their lanes). An entry in which nothing is packed has the first.
 */
export const entryFormatVersion = { plain: 1, packed: 2 } as const;

interface Envelope {
  readonly v: number;
  readonly id: string;
  readonly prev: string;
  readonly inc: string;
  readonly total: number;
  readonly end: 0 | 1;
  readonly more: 0 | 1;
  readonly schemas: readonly string[];
  readonly tx: readonly (readonly [
    id: string,
    at: number,
    events: number,
    traceparent?: string | null,
    origin?: string | null,
    tick?: string | null,
    audience?: readonly string[] | null,
  ])[];
}

/** Encodes an entry. Pure; the inverse of {@link decodeEntry}. */
export function encodeEntry(entry: StreamEntry<Changes>): EncodedEntry {
  const schemas = new Map<string, number>();
  const lines: string[] = [];
  let v: Envelope["v"] = entryFormatVersion.plain;
  for (const changes of entry.events) {
    let index = schemas.get(changes.schema);
    if (index === undefined) schemas.set(changes.schema, (index = schemas.size));
    if (isPacked(changes)) {
      v = entryFormatVersion.packed;
      lines.push(`${changes.ordinal}\t${packLetter}\t${index}\t${changes.count}`, changes.lines);
    } else lines.push(encodeEvent(changes, index));
  }
  const envelope: Envelope = {
    v,
    id: entry.id,
    prev: entry.previous,
    inc: entry.incarnation,
    total: entry.total,
    end: entry.endsTick ? 1 : 0,
    more: entry.continues ? 1 : 0,
    schemas: [...schemas.keys()],
    tx: entry.transactions.map(encodeTransaction),
  };
  return { envelope: JSON.stringify(envelope), rows: lines.join("\n") };
}

function encodeEvent(event: ChangeEvent, schema: number): string {
  const start = `${event.ordinal}\t${letterOf[event.op]}\t${schema}\t${event.key}`;
  if (event.version !== undefined) {
    return `${start}\t${event.image ?? ""}\t${event.before ?? ""}\t${event.version}`;
  }
  if (event.before !== undefined) return `${start}\t${event.image ?? ""}\t${event.before}`;
  return event.image === undefined ? start : `${start}\t${event.image}`;
}

/**
 * Decodes an entry that came from outside.
 * @throws LockstepError `STREAM_ENTRY_INVALID` when it is damaged or of a newer version.
 */
export function decodeEntry(encoded: EncodedEntry): StreamEntry {
  try {
    const envelope = JSON.parse(encoded.envelope) as Envelope;
    const isKnown = envelope.v === entryFormatVersion.plain || envelope.v === entryFormatVersion.packed;
    if (!isKnown) throw new Error(`entry format ${String(envelope.v)}`);
    const events = encoded.rows === "" ? [] : decodeRows(encoded.rows.split("\n"), envelope.schemas);
    const transactions = envelope.tx.map(decodeTransaction);
    if (transactions.reduce((sum, t) => sum + t.events, 0) !== events.length) throw new Error("event count");
    return {
      id: parsePosition(envelope.id),
      previous: parsePosition(envelope.prev),
      incarnation: envelope.inc,
      total: envelope.total,
      endsTick: envelope.end === 1,
      continues: envelope.more === 1,
      transactions,
      events,
    };
  } catch (cause) {
    throw new LockstepError("STREAM_ENTRY_INVALID", "a stream entry could not be decoded", { cause });
  }
}

function encodeTransaction(t: TransactionHeader): Envelope["tx"][number] {
  const header = [t.id, t.at, t.events, t.traceparent ?? null, t.origin ?? null] as const;
  if (t.audience !== undefined) return [...header, t.tick ?? null, t.audience];
  return t.tick === undefined ? header : [...header, t.tick];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function decodeTransaction(header: Envelope["tx"][number]): TransactionHeader {
  const [id, at, events, traceparent, origin, tick, audience] = header;
  if (tick != null) parsePosition(`${tick}-0`);
  const decoded: Writable<TransactionHeader> = { id, at, events };
  if (traceparent) decoded.traceparent = traceparent;
  if (origin) decoded.origin = origin;
  if (tick != null) decoded.tick = tick;
  if (audience != null) decoded.audience = audience;
  return decoded;
}

function decodeRows(lines: readonly string[], schemas: readonly string[]): ChangeEvent[] {
  const events: ChangeEvent[] = [];
  for (let i = 0; i < lines.length; i++) {
    const cells = lines[i]!.split("\t");
    const [last, letter, index, key] = cells;
    const schema = schemas[Number(index)];
    if (schema === undefined || key === undefined) throw new Error("event line");
    const ordinal = Number(last);
    if (letter === packLetter) {
      const count = Number(key);
      if (!(i + count < lines.length)) throw new Error("packed lines");
      for (let left = count - 1; left >= 0; left--)
        events.push(changeOfLine(lines[++i]!, ordinal - left, schema));
    } else events.push(decodeEvent(ordinal, schema, cells));
  }
  return events;
}

function decodeEvent(ordinal: number, schema: string, cells: readonly string[]): ChangeEvent {
  const [, letter, , key = "", image, before, version] = cells;
  const op = opOfLetter(letter!);
  if (op === undefined) throw new Error("event line");
  const event: Writable<ChangeEvent> = image
    ? { ordinal, op, schema, key, image }
    : { ordinal, op, schema, key };
  if (before) event.before = before;
  if (version) event.version = version;
  return event;
}
