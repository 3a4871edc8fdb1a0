/** Takes one message of the server: its type letter, and where its body lies in `bytes`. Returns false to be given no more for now. */
export type TakeMessage = (type: number, bytes: Buffer, start: number, end: number) => boolean;

const headBytes = 5;

/** Cuts what a socket gives into the messages of PostgreSQL's protocol, without copying them. */
export class FrameReader {
  #parts: Buffer[] = [];
  #held = 0;
  /** Less than this can't hold the next message: a large one is joined once, when it is whole, not with every packet of it. */
  #needed = headBytes;

  push(data: Buffer): void {
    this.#parts.push(data);
    this.#held += data.length;
  }

  /** Gives every whole message to `take`, until it says false. */
  drain(take: TakeMessage): void {
    if (this.#held < this.#needed) return;
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    let at = 0;
    this.#needed = headBytes;
    while (bytes.length - at >= headBytes) {
      const end = at + 1 + bytes.readInt32BE(at + 1);
      if (end > bytes.length) {
        this.#needed = end - at;
        break;
      }
      const start = at + headBytes;
      at = end;
      if (!take(bytes[start - headBytes]!, bytes, start, end)) break;
    }
    this.#parts = at < bytes.length ? [bytes.subarray(at)] : [];
    this.#held = bytes.length - at;
  }
}
