import type { StreamEntry } from "@lockstep/core";
import type { SizedEntry } from "../batch/cut-batch.js";

/** Entries read and not yet applied, with running counts. */
export class EntryQueue {
  #entries: SizedEntry[] = [];
  #events = 0;
  #bytes = 0;

  get entries(): readonly SizedEntry[] {
    return this.#entries;
  }

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(entries: readonly StreamEntry[]): void {
    for (const entry of entries) {
      const bytes = sizeOf(entry);
      this.#entries.push({ entry, bytes });
      this.#events += entry.events.length;
      this.#bytes += bytes;
    }
  }

  /** Removes and returns the first `count`. */
  take(count: number): StreamEntry[] {
    const taken = this.#entries.slice(0, count);
    // One copy of the rest, not a shift for each: shift() on a long array is linear.
    this.#entries = this.#entries.slice(count);
    for (const { entry, bytes } of taken) {
      this.#events -= entry.events.length;
      this.#bytes -= bytes;
    }
    return taken.map(({ entry }) => entry);
  }
}

/** Bytes of an entry's rows, about. */
export function sizeOf(entry: StreamEntry): number {
  let bytes = 0;
  for (const { key, image } of entry.events) bytes += key.length + (image?.length ?? 0);
  return bytes;
}
