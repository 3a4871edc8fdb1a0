import { type Static, Type } from "typebox";
import { hintOf } from "./letter-view.js";
import { Instant } from "./letter-schema.js";

/** Letters of one entity that failed for the same reason, over all targets. */
export const LetterGroup = Type.Object({
  table: Type.String({ description: "`namespace.table` at the source" }),
  code: Type.String(),
  hint: Type.Union([Type.String(), Type.Null()]),
  count: Type.Integer(),
  oldestAt: Instant,
  newestAt: Instant,
  targets: Type.Record(Type.String(), Type.Integer(), { description: "Letters by target" }),
});
export type LetterGroup = Static<typeof LetterGroup>;

/** One target's groups. */
export interface TargetGroups {
  readonly target: string;
  readonly groups: readonly {
    readonly table: string;
    readonly code: string;
    readonly count: number;
    readonly oldestAt: number;
    readonly newestAt: number;
  }[];
}

/** Joins the groups of several targets by entity and code; the largest first, at most `limit`. */
export function mergeGroups(parts: readonly TargetGroups[], limit: number): LetterGroup[] {
  const merged = new Map<string, LetterGroup>();
  for (const { target, groups } of parts) {
    for (const { table, code, count, oldestAt, newestAt } of groups) {
      const id = `${table}\n${code}`;
      const oldest = new Date(oldestAt).toISOString();
      const newest = new Date(newestAt).toISOString();
      const known = merged.get(id);
      merged.set(id, {
        table,
        code,
        hint: hintOf(code),
        count: (known?.count ?? 0) + count,
        oldestAt: known !== undefined && known.oldestAt < oldest ? known.oldestAt : oldest,
        newestAt: known !== undefined && known.newestAt > newest ? known.newestAt : newest,
        targets: { ...known?.targets, [target]: count },
      });
    }
  }
  return [...merged.values()]
    .sort((a, b) => b.count - a.count || (a.newestAt < b.newestAt ? 1 : -1))
    .slice(0, limit);
}
