/** Keeps work below a rate: says how long to wait after each part of it. */
export class Pace {
  #freeAt = -Infinity;

  /** `perSecond`: absent, there is no limit. */
  constructor(private readonly perSecond: number | undefined) {}

  /** The most that should be done at once: a tenth of a second's. */
  most(): number {
    return this.perSecond === undefined ? Infinity : Math.max(1, Math.floor(this.perSecond / 10));
  }

  /** Milliseconds to wait after `count` more, at `now` (ms). */
  after(count: number, now: number): number {
    if (this.perSecond === undefined) return 0;
    this.#freeAt = Math.max(this.#freeAt, now) + (count * 1000) / this.perSecond;
    return Math.max(0, this.#freeAt - now);
  }
}
