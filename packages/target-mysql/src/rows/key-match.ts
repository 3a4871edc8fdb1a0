import { isLockstepError } from "@lockstep/core";
import { packets } from "../sql/packets.js";
import { keyTexts, type TablePlan } from "../tables/mysql-table.js";

/** The condition that finds the row of one key. `of` qualifies the columns. */
export function rowMatch(plan: TablePlan, key: string, of = ""): string {
  const texts = keyTexts(key);
  return plan.key.map((column, i) => `${of}${column.quoted}=${column.write(texts[i]!)}`).join(" AND ");
}

/** The left side of `IN (…)` over the primary key. */
function keyColumns(plan: TablePlan, of = ""): string {
  const list = plan.key.map((column) => of + column.quoted).join(",");
  return plan.key.length === 1 ? list : `(${list})`;
}

/** One member of `IN (…)`. */
function keyLiteral(plan: TablePlan, key: string): string {
  const texts = keyTexts(key);
  const list = plan.key.map((column, i) => column.write(texts[i]!)).join(",");
  return plan.key.length === 1 ? list : `(${list})`;
}

/** Members of `IN (…)` for those keys that the target's columns can hold; of the others there is no row. */
function keyLiterals(plan: TablePlan, keys: readonly string[]): readonly string[] {
  return keys.flatMap((key) => {
    try {
      return [keyLiteral(plan, key)];
    } catch (error) {
      if (isLockstepError(error, "TARGET_VALUE")) return [];
      throw error;
    }
  });
}

/** Statements `head key IN (…) tail` over all keys, each below the packet limit. */
export function* overKeys(
  plan: TablePlan,
  keys: readonly string[],
  maxPacketBytes: number,
  statement: { readonly head: string; readonly tail?: string; readonly of?: string },
): Generator<string> {
  const head = `${statement.head} ${keyColumns(plan, statement.of)} IN (`;
  const literals = keyLiterals(plan, keys);
  for (const packet of packets(head, literals, ",", `)${statement.tail ?? ""}`, maxPacketBytes)) {
    yield packet.sql;
  }
}
