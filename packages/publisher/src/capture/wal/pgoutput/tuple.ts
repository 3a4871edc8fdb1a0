/** How a column stands in a tuple of pgoutput. */
export const cellKind = { null: 0x6e, unchanged: 0x75, text: 0x74 } as const;

/** A row as pgoutput sends it: where each column's text lies in the buffer it was read from. Used again for every row. */
export class Tuple {
  count = 0;
  kinds = new Uint8Array(64);
  starts = new Int32Array(64);
  ends = new Int32Array(64);

  /** Reads the tuple at `at`; returns where it ends. */
  read(bytes: Buffer, at: number): number {
    const count = bytes.readInt16BE(at);
    if (count > this.kinds.length) this.#grow(count);
    this.count = count;
    let p = at + 2;
    for (let i = 0; i < count; i++) {
      const kind = bytes[p++]!;
      this.kinds[i] = kind;
      if (kind !== cellKind.text) continue;
      const length = bytes.readInt32BE(p);
      this.starts[i] = p += 4;
      this.ends[i] = p += length;
    }
    return p;
  }

  /** The text of a column; `undefined` when it is NULL, not sent, or not there. */
  text(bytes: Buffer, i: number | undefined): string | undefined {
    if (i === undefined || i >= this.count || this.kinds[i] !== cellKind.text) return undefined;
    return bytes.toString("utf8", this.starts[i], this.ends[i]);
  }

  #grow(count: number): void {
    this.kinds = new Uint8Array(count);
    this.starts = new Int32Array(count);
    this.ends = new Int32Array(count);
  }
}

/** True when a column has the same text in two tuples of one buffer. */
export function isSameCell(bytes: Buffer, a: Tuple, b: Tuple, i: number): boolean {
  if (a.kinds[i] !== b.kinds[i]) return false;
  if (a.kinds[i] !== cellKind.text) return true;
  let p = a.starts[i]!;
  let q = b.starts[i]!;
  const end = a.ends[i]!;
  if (end - p !== b.ends[i]! - q) return false;
  // A key is short: looking at its bytes here is cheaper than a call out of JavaScript.
  while (p < end) if (bytes[p++] !== bytes[q++]) return false;
  return true;
}
