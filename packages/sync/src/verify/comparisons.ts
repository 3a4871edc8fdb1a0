import { type TableReader, tableId, type TableSchema } from "@lockstep/core";
import { type ComparedTable, compareTable } from "../digest/compared-table.js";
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
export function comparisonsOf({ source, mapping }: Compared, reader: TableReader): readonly Comparison[] {
  const sides = { source: source.reader, target: reader };
  return source.tables.flatMap((schema): Comparison[] => {
    const id = tableId(schema);
    const routes = mapping?.routes(schema);
    if (routes === undefined) return [{ id, schema, open: () => compareTable(sides, schema) }];
    return routes.map((route, i) => ({
      id: i === 0 ? id : `${id}#${i}`,
      schema,
      open: () => (route.plain ? compareTable(sides, schema, route) : compareMapped(sides, route)),
    }));
  });
}
