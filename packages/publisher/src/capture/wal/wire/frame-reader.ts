/** Takes one message of the server: its type letter, and where its body lies in `bytes`, which are others afterwards. Returns false to be given no more for now. */
export type TakeMessage = (type: number, bytes: Buffer, start: number, end: number) => boolean;

const headBytes = 5;
/** Some of what a socket gives at a time. */
const usualBytes = 256 * 1024;

/**
 * Cuts what a socket gives into the messages of PostgreSQL's protocol. They lie in one memory, which is used again: buffers of their own would be garbage that V8
 * counts, and collects everything for.
 */
export class FrameReader {
  #bytes = Buffer.allocUnsafeSlow(usualBytes);
  /** What is held lies between these. */
  #from = 0;
  #to = 0;

  push(data: Buffer): void {
    this.#makeRoom(data.length);
    this.#to += data.copy(this.#bytes, this.#to);
  }

  /** Gives every whole message to `take`, until it says false. */
  drain(take: TakeMessage): void {
    while (this.#to - this.#from >= headBytes) {
      const start = this.#from + headBytes;
      const end = this.#from + 1 + this.#bytes.readInt32BE(this.#from + 1);
      if (end > this.#to) break;
      this.#from = end;
      if (!take(this.#bytes[start - headBytes]!, this.#bytes, start, end)) break;
    }
    if (this.#from < this.#to) return;
    this.#from = this.#to = 0;
    if (this.#bytes.length > usualBytes) this.#bytes = Buffer.allocUnsafeSlow(usualBytes);
  }

  #makeRoom(bytes: number): void {
    if (this.#to + bytes <= this.#bytes.length) return;
    const held = this.#to - this.#from;
    const isEnough = held + bytes <= this.#bytes.length;
    const roomy = isEnough
      ? this.#bytes
      : Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, held + bytes));
    this.#bytes.copy(roomy, 0, this.#from, this.#to);
    this.#bytes = roomy;
    this.#from = 0;
    this.#to = held;
  }
}
