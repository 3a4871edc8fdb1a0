/** Message types of the frontend (PostgreSQL protocol 3.0). */
const letter = {
  parse: 0x50,
  bind: 0x42,
  execute: 0x45,
  sync: 0x53,
  copyData: 0x64,
  copyDone: 0x63,
} as const;

/** A buffer of this size or less is kept for the next pipeline. */
const keptBytes = 4 * 1024 * 1024;
/** Longer texts are measured before they are written; shorter ones are given the room of the worst case. */
const measuredLength = 64 * 1024;

/**
 * Frontend messages of the extended protocol, collected into one buffer and so into one write: a pipeline of statements costs
 * one round trip and a few system calls whatever its length.
 */
export class Outgoing {
  #buffer: Buffer;
  #length = 0;

  /** `buffer` is overwritten: nothing may still be waiting to be sent from it. */
  constructor(buffer: Buffer = Buffer.allocUnsafe(4096)) {
    this.#buffer = buffer;
  }

  /** What was collected. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The buffer, for another {@link Outgoing} when all bytes are sent; `undefined` when it has become too large to be kept. */
  get reusable(): Buffer | undefined {
    return this.#buffer.length <= keptBytes ? this.#buffer : undefined;
  }

  parse(name: string, text: string): void {
    const start = this.#begin(letter.parse);
    this.#cString(name);
    this.#cString(text);
    this.#int16(0);
    this.#end(start);
  }

  /** Binds the unnamed portal; every parameter and result is text. */
  bind(statement: string, values: readonly (string | null)[]): void {
    const start = this.#begin(letter.bind);
    this.#cString("");
    this.#cString(statement);
    this.#int16(0);
    this.#int16(values.length);
    for (const value of values) {
      if (value === null) this.#int32(-1);
      else this.#counted(value);
    }
    this.#int16(0);
    this.#end(start);
  }

  execute(): void {
    const start = this.#begin(letter.execute);
    this.#cString("");
    this.#int32(0);
    this.#end(start);
  }

  /** The whole input of a COPY that was executed just before. */
  copy(data: string): void {
    const start = this.#begin(letter.copyData);
    this.#text(data);
    this.#end(start);
    this.#end(this.#begin(letter.copyDone));
  }

  sync(): void {
    this.#end(this.#begin(letter.sync));
  }

  #begin(type: number): number {
    this.#room(5);
    this.#buffer[this.#length++] = type;
    const start = this.#length;
    this.#length += 4;
    return start;
  }

  #end(start: number): void {
    this.#buffer.writeInt32BE(this.#length - start, start);
  }

  #int16(value: number): void {
    this.#room(2);
    this.#length = this.#buffer.writeUInt16BE(value, this.#length);
  }

  #int32(value: number): void {
    this.#room(4);
    this.#length = this.#buffer.writeInt32BE(value, this.#length);
  }

  #cString(text: string): void {
    this.#text(text);
    this.#room(1);
    this.#buffer[this.#length++] = 0;
  }

  #counted(text: string): void {
    const start = this.#length;
    this.#room(4);
    this.#length += 4;
    this.#text(text);
    this.#buffer.writeInt32BE(this.#length - start - 4, start);
  }

  #text(text: string): void {
    // UTF-8 needs at most 3 bytes per UTF-16 unit.
    this.#room(text.length < measuredLength ? text.length * 3 : Buffer.byteLength(text));
    this.#length += this.#buffer.write(text, this.#length, "utf8");
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
