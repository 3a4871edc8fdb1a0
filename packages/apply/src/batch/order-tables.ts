/** The part of a target's table that its order depends on. */
export interface OrderedTable {
  /** `namespace.name` at the source. */
  readonly id: string;
  readonly parents: readonly string[];
}

/**
 * Parents before children. Tables that don't depend on each other keep the given (source) order; in a cycle of foreign keys
 * the first given goes first.
 */
export function parentsFirst(tables: readonly OrderedTable[]): string[] {
  const waiting = new Map<string, Set<string>>();
  for (const table of tables) {
    const parents = waiting.get(table.id) ?? new Set<string>();
    for (const parent of table.parents) if (parent !== table.id) parents.add(parent);
    waiting.set(table.id, parents);
  }
  const ordered: string[] = [];
  while (waiting.size > 0) {
    const next = firstFree(waiting);
    waiting.delete(next);
    ordered.push(next);
  }
  return ordered;
}

function firstFree(waiting: ReadonlyMap<string, ReadonlySet<string>>): string {
  for (const [id, parents] of waiting) {
    let free = true;
    for (const parent of parents) if (waiting.has(parent)) free = false;
    if (free) return id;
  }
  return waiting.keys().next().value!;
}
