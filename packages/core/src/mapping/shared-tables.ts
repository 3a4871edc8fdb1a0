import type { FixedColumn, TableMapping, TargetMapping } from "./table-mapping.js";

interface Entry {
  readonly table: string;
  readonly spec: TableMapping;
}

/** Every mapping by the name of the target's table. */
function byTarget(map: TargetMapping): ReadonlyMap<string, readonly Entry[]> {
  const targets = new Map<string, Entry[]>();
  for (const [table, specs] of Object.entries(map)) {
    for (const spec of specs === false ? [] : [specs].flat()) {
      const to = spec.to ?? table.split(".").at(-1)!;
      targets.set(to, [...(targets.get(to) ?? []), { table, spec }]);
    }
  }
  return targets;
}

/** Names of the target's tables that the mapping writes. */
export function targetNames(map: TargetMapping): ReadonlySet<string> {
  return new Set(byTarget(map).keys());
}

/** For each of the target's tables that several mappings share: the fixed key column that tells their rows apart. */
export function discriminators(map: TargetMapping): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [to, entries] of byTarget(map)) {
    const column = entries.length > 1 ? telling(entries) : undefined;
    if (column !== undefined) found.set(to, column);
  }
  return found;
}

/**
 * What is wrong with a mapping whatever the source's schema is: tables that several mappings share without a fixed key column of which each has a value
 * of its own. Without one their rows could overwrite and delete each other.
 */
export function mappingProblems(map: TargetMapping): readonly string[] {
  return [...byTarget(map)].flatMap(([to, entries]) => {
    if (entries.length < 2 || telling(entries) !== undefined) return [];
    const tables = [...new Set(entries.map(({ table }) => table))].join(", ");
    return [
      `${tables} → ${to}: needs a fixed column in the key of each, with another value in each, e.g. columns: { "*": true, origin: { fixed: "${entries[0]!.table}" } }, key: ["origin", …]`,
    ];
  });
}

function telling(entries: readonly Entry[]): string | undefined {
  return entries[0]!.spec.key?.find((column) => {
    const texts = entries.map(({ spec }) =>
      spec.key?.includes(column) ? fixedText(spec, column) : undefined,
    );
    return !texts.includes(undefined) && new Set(texts).size === texts.length;
  });
}

function fixedText({ columns = {} }: TableMapping, name: string): string | undefined {
  const spec = columns[name];
  if (typeof spec !== "object" || !("fixed" in spec)) return undefined;
  const { fixed }: FixedColumn = spec;
  return fixed === null ? undefined : String(fixed);
}
