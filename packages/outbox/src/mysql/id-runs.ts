/** Ids from `from` to `to`, every one of them. */
export interface IdRun {
  readonly from: bigint;
  to: bigint;
}

/**
 * Collects ascending ids as runs without a hole, so that millions of ids stay small and a condition on a run means exactly the
 * ids that were read: an id that was missing may belong to a transaction that had not committed then.
 */
export function collectRuns(): { add(id: bigint): void; readonly runs: readonly IdRun[] } {
  const runs: IdRun[] = [];
  return {
    runs,
    add(id) {
      const last = runs.at(-1);
      if (last && id === last.to + 1n) last.to = id;
      else runs.push({ from: id, to: id });
    },
  };
}

const singlesPerCondition = 1_000;

/** Conditions on `id` that together mean exactly the ids of `runs`: single ids in lists, longer runs one by one. Pure. */
export function conditionsOf(runs: readonly IdRun[]): string[] {
  const singles = runs.filter((run) => run.from === run.to).map((run) => run.from);
  const conditions = runs
    .filter((run) => run.from !== run.to)
    .map((run) => `id BETWEEN ${run.from} AND ${run.to}`);
  for (let i = 0; i < singles.length; i += singlesPerCondition) {
    conditions.push(`id IN (${singles.slice(i, i + singlesPerCondition).join(", ")})`);
  }
  return conditions;
}
