import { cellKind, type Tuple } from "./tuple.js";

const quote = 0x22;
const backslash = 0x5c;
const letterOf: Readonly<Record<number, number>> = { 8: 0x62, 9: 0x74, 10: 0x6e, 12: 0x66, 13: 0x72 };
const hex = "0123456789abcdef";
const literals = {
  null: Buffer.from("null,"),
  unknown: Buffer.from("0,"),
  true: Buffer.from('"true",'),
  false: Buffer.from('"false",'),
} as const;
/** An escaped byte takes at most six. */
const worst = 6;

/**
 * Writes cells as JSON arrays of texts: byte by byte from the log's buffer into one of its own, made a string once per image. A string
 * per cell and JSON.stringify over them take twice the time. The escapes are those of PostgreSQL's own `array_to_json`, so that the text
 * equals what the outbox holds of the same row.
 */
export class CellWriter {
  #out = Buffer.allocUnsafe(16 * 1024);
  #n = 0;
  #high = 0;

  /** The row's image. Cells that weren't sent are taken from `old`, as far as it has them; else they are `0`. */
  image(bytes: Buffer, row: Tuple, old: Tuple | undefined, booleans: readonly boolean[] | undefined): string {
    this.#begin();
    for (let i = 0; i < row.count; i++) this.#cell(bytes, known(row, old, i), i, booleans);
    return this.#end();
  }

  /** The texts of some columns. */
  cells(
    bytes: Buffer,
    row: Tuple,
    old: Tuple | undefined,
    at: readonly number[],
    booleans: readonly boolean[] | undefined,
  ): string {
    this.#begin();
    for (const i of at) this.#cell(bytes, known(row, old, i), i, booleans);
    return this.#end();
  }

  #begin(): void {
    this.#n = 0;
    this.#high = 0;
    this.#out[this.#n++] = 0x5b;
  }

  #end(): string {
    if (this.#n === 1) this.#n++;
    // Over the last comma.
    this.#out[this.#n - 1] = 0x5d;
    return this.#out.toString(this.#high < 0x80 ? "latin1" : "utf8", 0, this.#n);
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
