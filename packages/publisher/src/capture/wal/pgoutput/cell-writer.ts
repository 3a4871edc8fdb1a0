import { cellKind, type Tuple } from "./tuple.js";

const quote = 0x22;
const backslash = 0x5c;
const [open, close, tab, lineFeed] = [0x5b, 0x5d, 0x09, 0x0a];
const letterOf: Readonly<Record<number, number>> = { 8: 0x62, 9: 0x74, 10: 0x6e, 12: 0x66, 13: 0x72 };
const hex = "0123456789abcdef";
const literals = {
  null: Buffer.from("null,"),
  unknown: Buffer.from("0,"),
  true: Buffer.from('"true",'),
  false: Buffer.from('"false",'),
} as const;
/** A row in the log's buffer. */
export interface Cells {
  readonly bytes: Buffer;
  readonly row: Tuple;
  readonly old?: Tuple | undefined;
  /** Columns of the primary key, in its order. */
  readonly key: readonly number[];
  /** Which columns are booleans. */
  readonly booleans?: readonly boolean[] | undefined;
}

/** An escaped byte takes at most six. */
const worst = 6;

/**
 * Writes cells as JSON arrays of texts: byte by byte from the log's buffer into one of its own, made a string once for many rows. A string
 * per cell and JSON.stringify over them take twice the time. The escapes are those of PostgreSQL's own `array_to_json`, so that the text
 * equals what the outbox holds of the same row.
 */
export class CellWriter {
  #out = Buffer.allocUnsafe(16 * 1024);
  #n = 0;
  #high = 0;

  /** Bytes that were written and not taken. */
  get length(): number {
    return this.#n;
  }

  /**
   * Adds a line of a text that packs (`PackedChanges`): the letter of an op, the key, the image unless there is none. Cells that weren't sent are taken
   * from `old`, as far as it has them; else they are `0`.
   */
  line(letter: number, { bytes, row, old, key, booleans }: Cells, hasImage: boolean): void {
    this.#room(3);
    if (this.#n > 0) this.#out[this.#n++] = lineFeed;
    this.#out[this.#n++] = letter;
    this.#array({ bytes, row, old, key, booleans });
    this.#room(1);
    this.#out[this.#n++] = tab;
    if (hasImage) this.#array({ bytes, row, old, booleans });
  }

  /** The text of the key alone, or of all columns where none is named. */
  text(cells: Omit<Cells, "key"> & Partial<Cells>): string {
    this.#array(cells);
    return this.take();
  }

  /** What was written. */
  take(): string {
    const text = this.#out.toString(this.#high < 0x80 ? "latin1" : "utf8", 0, this.#n);
    this.#n = 0;
    this.#high = 0;
    return text;
  }

  #array({ bytes, row, old, key, booleans }: Omit<Cells, "key"> & Partial<Cells>): void {
    this.#room(2);
    this.#out[this.#n++] = open;
    const first = this.#n;
    const count = key?.length ?? row.count;
    for (let n = 0; n < count; n++) {
      const i = key === undefined ? n : key[n]!;
      this.#cell(bytes, known(row, old, i), i, booleans);
    }
    // Over the last comma.
    if (this.#n === first) this.#n++;
    this.#out[this.#n - 1] = close;
  }

  #cell(
    bytes: Buffer,
    { kinds, starts, ends }: Tuple,
    i: number,
    booleans: readonly boolean[] | undefined,
  ): void {
    const kind = kinds[i];
    if (kind === cellKind.null) this.#literal(literals.null);
    else if (kind !== cellKind.text) this.#literal(literals.unknown);
    // The outbox's images hold booleans as the cast to text prints them.
    else if (booleans?.[i] === true)
      this.#literal(bytes[starts[i]!] === 0x74 ? literals.true : literals.false);
    else this.#text(bytes, starts[i]!, ends[i]!);
  }

  #literal(text: Buffer): void {
    this.#room(text.length);
    for (let i = 0; i < text.length; i++) this.#out[this.#n++] = text[i]!;
  }

  #text(bytes: Buffer, start: number, end: number): void {
    this.#room((end - start) * worst + 3);
    const out = this.#out;
    let n = this.#n;
    let high = this.#high;
    out[n++] = quote;
    for (let p = start; p < end; p++) {
      const byte = bytes[p]!;
      if (byte >= 0x20 && byte !== quote && byte !== backslash) {
        out[n++] = byte;
        high |= byte;
      } else n = this.#escape(byte, n);
    }
    out[n++] = quote;
    out[n++] = 0x2c;
    this.#n = n;
    this.#high = high;
  }

  #escape(byte: number, n: number): number {
    const out = this.#out;
    const letter = byte === quote || byte === backslash ? byte : letterOf[byte];
    out[n++] = backslash;
    if (letter !== undefined) out[n++] = letter;
    else n += out.write(`u00${hex[byte >> 4]}${hex[byte & 15]}`, n, "latin1");
    return n;
  }

  #room(bytes: number): void {
    const needed = this.#n + bytes;
    if (needed <= this.#out.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#out.length * 2));
    this.#out.copy(grown, 0, 0, this.#n);
    this.#out = grown;
  }
}

// A value that wasn't sent because it didn't change is never NULL. A NULL in the old row means that only its key was logged (a partition
// made later doesn't log whole rows by itself, and the message doesn't tell).
function known(row: Tuple, old: Tuple | undefined, i: number): Tuple {
  const isHere = row.kinds[i] !== cellKind.unchanged || old?.kinds[i] !== cellKind.text;
  return isHere ? row : old;
}
