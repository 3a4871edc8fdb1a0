/** A place in the log and what is known of it without reading it again. */
export interface Marker {
  /** Commit record of a transaction with events, or a place behind all of them. */
  readonly tick: bigint;
  /** Events of the source before it. */
  readonly total: number;
  /** Commit time, ms since 1970 by the source's clock. */
  readonly at: number;
}

const maxHeld = 512;
const maxKept = 64;

/**
 * Places in the log, so that it can be read from any of them with right counts (PROTOCOL.md 34) and confirmed up to one. Bounded: the
 * newest are all here, older ones thin out.
 */
export class Markers {
  #held: Marker[];

  constructor(markers: readonly Marker[]) {
    this.#held = [...markers];
  }

  get first(): Marker | undefined {
    return this.#held[0];
  }

  get newest(): Marker | undefined {
    return this.#held.at(-1);
  }

  note(marker: Marker): void {
    if (marker.tick <= (this.newest?.tick ?? -1n)) return;
    this.#held.push(marker);
    if (this.#held.length > maxHeld) this.#held = thinned(this.#held);
  }

  /** The last one at or before `tick`. */
  atOrBefore(tick: bigint): Marker | undefined {
    return this.#held.findLast((marker) => marker.tick <= tick);
  }

  /** The first one behind `tick`. */
  after(tick: bigint): Marker | undefined {
    return this.#held.find((marker) => marker.tick > tick);
  }

  /** The last one of which `holds` is true. */
  last(holds: (marker: Marker) => boolean): Marker | undefined {
    return this.#held.findLast(holds);
  }

  /** Forgets all before `tick`. */
  dropBefore(tick: bigint): void {
    this.#held = this.#held.filter((marker) => marker.tick >= tick);
  }

  /** A few of them, the first and the newest included, to be kept in the source. */
  kept(): readonly Marker[] {
    let kept = this.#held;
    while (kept.length > maxKept) kept = thinned(kept);
    return kept;
  }
}

function thinned(markers: readonly Marker[]): Marker[] {
  const last = markers.length - 1;
  return markers.filter((_, i) => i % 2 === 0 || i === last);
}
