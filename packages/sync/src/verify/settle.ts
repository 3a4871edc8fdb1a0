import type { Key } from "../digest/column.js";
import type { ComparedTable } from "../digest/compared-table.js";
import type { Rows, RowState, Side } from "../digest/table-side.js";
import type { Pass } from "../passage.js";
import { type Difference, differenceOf, look, looksNeeded } from "./difference.js";

/** What has become of suspects. */
export interface Settled {
  /** By canonical key (JSON). */
  readonly differences: ReadonlyMap<string, Difference>;
  /** Rows that were written at every look: each of their writes sets the target's row right, too. */
  readonly unsettled: number;
}

/** A row that was seen to move so often is left: it is written faster than anybody can look at it. */
const maxMoves = 6;

/** Looks at suspects again until each is known to be equal or different: no alarm for a change that is only on its way. */
export async function settle(
  { source, target }: Pick<ComparedTable, "source" | "target">,
  suspects: readonly string[],
  pass: Pass,
  signal?: AbortSignal,
): Promise<Settled> {
  const differences = new Map<string, Difference>();
  const agreed = new Map<string, number>();
  const moves = new Map<string, number>();
  let unsettled = 0;
  let open = suspects;
  let before = await statesOf(source, open);
  while (open.length > 0) {
    // After the look at the source, before the one at the target: what was committed by the first is applied at the second.
    await pass(signal);
    const there = await statesOf(target, open);
    const after = await statesOf(source, open);
    open = open.filter((key) => {
      const [was, is, now] = [before.get(key), there.get(key), after.get(key)];
      const seen = look(was, is, now);
      if (seen === "equal") return false;
      if (seen === "moving") {
        agreed.delete(key);
        if (raised(moves, key) < maxMoves) return true;
        unsettled++;
        return false;
      }
      if (raised(agreed, key) < looksNeeded(now)) return true;
      differences.set(key, differenceOf(now, is));
      return false;
    });
    before = after;
  }
  return { differences, unsettled };
}

function raised(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

async function statesOf(side: Side | undefined, keys: readonly string[]): Promise<Rows<RowState>> {
  if (side === undefined || keys.length === 0) return new Map();
  return side.at(keys.map((key) => JSON.parse(key) as Key));
}
