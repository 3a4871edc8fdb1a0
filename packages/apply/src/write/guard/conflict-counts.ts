import type { ConflictCount, ConflictWrite } from "@lockstep/core";

type Kind = Pick<ConflictWrite, "table" | "policy" | "outcome">;

/** Counts what a step decided; few kinds, however many rows. */
export class ConflictCounts {
  #counts = new Map<string, ConflictCount>();

  add({ table, policy, outcome }: Kind, more = 1): void {
    const kind = JSON.stringify([table, policy, outcome]);
    const count = (this.#counts.get(kind)?.count ?? 0) + more;
    this.#counts.set(kind, { table, policy, outcome, count });
  }

  /** Remembers the counts, for when what follows is rolled back. */
  mark(): { takeBack(): void } {
    const kept = new Map(this.#counts);
    return { takeBack: () => void (this.#counts = new Map(kept)) };
  }

  list(): readonly ConflictCount[] {
    return [...this.#counts.values()].filter(({ count }) => count > 0);
  }
}
