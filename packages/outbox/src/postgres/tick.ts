/** A tick as the database keeps it. Immutable once committed. */
export interface Tick {
  readonly n: bigint;
  readonly events: number;
  /** Events of the source up to and including this tick. */
  readonly total: number;
  /** Snapshot of the tick before. */
  readonly previous: string;
  readonly snapshot: string;
}

/** Consecutive ticks that fit a page together; one that is larger than a page is alone. Pure. */
export function groupTicks<T extends { readonly events: number }>(
  ticks: readonly T[],
  pageEvents: number,
): T[][] {
  const groups: T[][] = [];
  let events = 0;
  for (const tick of ticks) {
    const group = groups.at(-1);
    if (group && events + tick.events <= pageEvents) {
      group.push(tick);
      events += tick.events;
    } else {
      groups.push([tick]);
      events = tick.events;
    }
  }
  return groups;
}

/** The ticks this process cut last: reading them needs no look at the table. */
export function tickMemory(): { remember(tick: Tick): void; known(n: bigint): Tick | undefined } {
  const ticks = new Map<bigint, Tick>();
  return {
    remember(tick) {
      ticks.set(tick.n, tick);
      if (ticks.size > maxRemembered) ticks.delete(ticks.keys().next().value!);
    },
    known: (n) => ticks.get(n),
  };
}

const maxRemembered = 1024;
