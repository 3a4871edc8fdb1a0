import type { TargetTable } from "@lockstep/core";
import type { PlannedRemove, PlannedWrite, Segment, TableChanges } from "../batch/planned-changes.js";
import { mapChange, type RoutedRow } from "./map-change.js";
import type { Refused } from "./refused.js";
import type { Route } from "./routes.js";

/** What happens to one of the target's tables. */
interface RoutedChanges {
  readonly table: TargetTable;
  readonly writes: readonly PlannedWrite[];
  readonly removes: readonly PlannedRemove[];
}

/** A table to empty; `only` its rows with these cells, where it is shared with other source tables. */
export interface Emptying {
  readonly table: TargetTable;
  readonly only?: Readonly<Record<string, string>>;
}

/** A segment as this target gets it. */
export interface RoutedSegment {
  readonly truncates: readonly Emptying[];
  readonly tables: readonly RoutedChanges[];
  /** Rows of the source that could not be mapped. */
  readonly failed: readonly Refused[];
}

/** Finds out where the rows of a source schema go. */
export type RoutesOf = (fingerprint: string) => readonly Route[];

/** Maps a segment. Pure; tables without a mapping pass as they are. */
export function mapSegment(segment: Segment, routesOf: RoutesOf): RoutedSegment {
  const failed: Refused[] = [];
  return {
    truncates: segment.truncates.flatMap((schema) => routesOf(schema.fingerprint).map(emptying)),
    tables: segment.tables.flatMap((changes) =>
      mapTable(changes, routesOf(changes.schema.fingerprint), failed),
    ),
    failed,
  };
}

function emptying({ table, mapping }: Route): Emptying {
  // Emptying a shared table would take the rows of the others with it.
  return mapping?.share === undefined ? { table } : { table, only: mapping.share };
}

function mapTable(
  { writes, removes }: TableChanges,
  routes: readonly Route[],
  failed: Refused[],
): readonly RoutedChanges[] {
  const [first, ...others] = routes;
  if (first === undefined) return [];
  if (first.mapping === undefined && others.length === 0) return [{ table: first.table, writes, removes }];
  const routed = new Map(
    routes.map(({ table }) => [
      table,
      { table, writes: [] as PlannedWrite[], removes: [] as PlannedRemove[] },
    ]),
  );
  const put = (row: RoutedRow): void => {
    if (row.kind === "write") routed.get(row.table)!.writes.push(row.row);
    else routed.get(row.table)!.removes.push(row.row);
  };
  const take = (change: Parameters<typeof mapChange>[0]): void => {
    const mapped = mapChange(change, routes);
    if ("fault" in mapped) failed.push(mapped);
    else mapped.forEach(put);
  };
  for (const row of writes) take({ kind: "write", row });
  for (const row of removes) take({ kind: "remove", row });
  return [...routed.values()];
}
