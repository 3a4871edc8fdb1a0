/** What both engines keep of a tick. Immutable once committed. */
export interface Tick {
  readonly n: bigint;
  readonly events: number;
  /** Rows that hold them, where that is known: fewer, when some are packed. */
  readonly rows?: number;
  /** Events of the source up to and including this tick. */
  readonly total: number;
}

/** Rows to be read for a tick, at most. Pure. */
export function rowsOf({ rows, events }: Pick<Tick, "events" | "rows">): number {
  return rows ?? events;
}

/** Consecutive ticks that fit a page together; one that is larger than a page is alone. Pure. */
export function groupTicks<T extends Pick<Tick, "events" | "rows">>(
  ticks: readonly T[],
  pageRows: number,
): T[][] {
  const groups: T[][] = [];
  let rows = 0;
  for (const tick of ticks) {
    const group = groups.at(-1);
    if (group && rows + rowsOf(tick) <= pageRows) {
      group.push(tick);
      rows += rowsOf(tick);
    } else {
      groups.push([tick]);
      rows = rowsOf(tick);
    }
  }
  return groups;
}

/** The ticks this process cut last: reading them needs no look at the table. */
export interface TickMemory<T extends Tick> {
  remember(tick: T): void;
  /** The ticks that follow the end of `tick`, as far as they are remembered; none when `n` is not its end. */
  after(tick: bigint, n: bigint): T[];
  /** To be called when leadership begins: another relay may have cut ticks since, and a run of remembered ones would end before them. */
  forget(): void;
}

const maxRemembered = 1024;

/** An empty memory. */
export function tickMemory<T extends Tick>(): TickMemory<T> {
  const ticks = new Map<bigint, T>();
  return {
    remember(tick) {
      ticks.set(tick.n, tick);
      if (ticks.size > maxRemembered) ticks.delete(ticks.keys().next().value!);
    },
    after(tick, n) {
      const here = ticks.get(tick);
      const following: T[] = [];
      if (!here || n < BigInt(here.events)) return following;
      for (let next = ticks.get(tick + 1n); next; next = ticks.get(next.n + 1n)) following.push(next);
      return following;
    },
    forget: () => ticks.clear(),
  };
}
