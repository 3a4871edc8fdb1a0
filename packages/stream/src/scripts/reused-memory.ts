/** Memory that is written to again and again. Not for two at a time in the same place: who takes some gives it back. */
export class ReusedMemory {
  #slab: Buffer | undefined;
  #used = 0;
  #takers = 0;

  /** @param slabBytes How much is kept, from the first use on. What doesn't fit in gets memory of its own. */
  constructor(readonly slabBytes: number) {}

  /** Memory for `bytes` bytes, until {@link release}. Its contents are undefined. */
  take(bytes: number): Buffer {
    this.#takers++;
    if (this.#used + bytes > this.slabBytes) return Buffer.allocUnsafeSlow(bytes);
    this.#slab ??= Buffer.allocUnsafeSlow(this.slabBytes);
    const start = this.#used;
    this.#used += bytes;
    return this.#slab.subarray(start, this.#used);
  }

  /** One taker is done. Without `isFree` somebody may read it still, and it is left to whoever does. */
  release(isFree: boolean): void {
    if (!isFree) this.#slab = undefined;
    if (--this.#takers === 0 || !isFree) this.#used = 0;
  }
}
