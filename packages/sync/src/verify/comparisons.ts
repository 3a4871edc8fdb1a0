import { type HeldRows, type RowMapping, type TableReader, tableId, type TableSchema } from "@lockstep/core";
import { type ComparedTable, compareTable } from "../digest/compared-table.js";
import { compareHeld } from "../held/compare-held.js";
import { compareMapped } from "../mapped/compare-mapped.js";
import type { Compared } from "./compared.js";

/** A table of the source beside one of those that its rows go into. */
export interface Comparison {
  /** The same in every run. */
  readonly id: string;
  readonly schema: TableSchema;
  /** Looks at both as they are now; `undefined` when the source hasn't got it. */
  readonly open: () => Promise<ComparedTable | undefined>;
}

/** Everything that is compared, in the order of the source's tables. */
export function comparisonsOf(
  { source, mapping }: Compared,
  target: TableReader | HeldRows,
): readonly Comparison[] {
  return source.tables.flatMap((schema): Comparison[] => {
    const routes = mapping?.routes(schema) ?? [undefined];
    return routes.map((route, i) => ({
      id: i === 0 ? tableId(schema) : `${tableId(schema)}#${i}`,
      schema,
      open: () => opened(source.reader, target, schema, route),
    }));
  });
}

function opened(
  source: TableReader,
  target: TableReader | HeldRows,
  schema: TableSchema,
  route: RowMapping | undefined,
): Promise<ComparedTable | undefined> {
  if (!("rows" in target)) return compareHeld({ source, held: target }, schema, route);
  if (route === undefined || route.plain) return compareTable({ source, target }, schema, route);
  return compareMapped({ source, target }, route);
}
