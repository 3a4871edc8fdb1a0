import { LockstepError, type RowMapping, tableId } from "@lockstep/core";
import { columnsOf, dialects } from "../digest/catalog.js";
import type { Key } from "../digest/column.js";
import type { ComparedTable, ShownColumn, Sides } from "../digest/compared-table.js";
import { isOrderedAlike } from "../digest/pair.js";
import { printedKey } from "../digest/printed-key.js";
import { TableSide } from "../digest/table-side.js";
import { type MappedColumn, mappedColumns } from "./mapped-column.js";
import { mappedKey } from "./mapped-key.js";
import { MappedSide } from "./mapped-side.js";

/**
 * Looks at a table that a mapping filters, computes or masks: the source's rows are read whole and mapped here, and compared with what the target's database
 * says of its own. `undefined` when the source has none of this name. @throws LockstepError VERIFY_KEY.
 */
export async function compareMapped(
  { source, target }: Sides,
  route: RowMapping,
): Promise<ComparedTable | undefined> {
  const { schema } = route;
  const [here, there] = await Promise.all([columnsOf(source, route.source), columnsOf(target, schema)]);
  if (here.length === 0) return undefined;
  const isMissing = there.length === 0;
  // Without a table there is nothing to compare the rows with; that they are missing takes any text.
  const engines = { source, target: isMissing ? source : target };
  const { columns, leftOut } = mappedColumns(route, here, isMissing ? schema.columns : there, engines);
  const key = keyColumns(route, columns);
  const known = mappedKey(route, key);
  const dialect = dialects[target.engine];
  const shares = Object.keys(route.share ?? {}).map((name) => {
    const { target: column } = key.find((one) => one.name === name)!;
    return dialect.among([column], [[known.fixed.get(name)!]]);
  });
  const mirror = new TableSide({
    reader: target,
    dialect,
    table: dialect.table(target.namespace ?? schema.namespace, schema.name),
    key: key.map((column) => column.target),
    columns: columns.map((column) => column.target),
    method: "md5",
    ...(shares.length > 0 && { only: shares.join(" AND ") }),
  });
  return {
    id: tableId(route.source),
    to: schema.name,
    source: new MappedSide({ reader: source, stored: here, route, columns, key, known }),
    ...(!isMissing && { target: mirror }),
    sourceKey: (canonical) => sourceKey(route, key, canonical),
    canonicalKey: (printed) => {
      const mapped = JSON.parse(route.mapKey(JSON.stringify(printed))) as Key;
      return key.map(({ textOf }, i) => textOf(mapped[i]!));
    },
    hidesKey: known.source === undefined,
    columns: columns.map(shown),
    key: key.map(shown),
    leftOut: leftOut.map(({ here: { name }, why }) => ({
      column: name,
      why: why ?? "nothing tells whether they are equal",
    })),
    isOrderedAlike:
      known.isInOrder &&
      (isMissing || key.every(({ copies, pair }) => !copies || isOrderedAlike(source, target, pair))),
  };
}

function shown({ name, copies }: MappedColumn): ShownColumn {
  return { name, ...(copies && { shows: copies.name }) };
}

function keyColumns(route: RowMapping, columns: readonly MappedColumn[]): readonly MappedColumn[] {
  const key = route.schema.key.map((name) => columns.find((column) => column.name === name));
  if (key.every((column) => column !== undefined)) return key;
  const id = tableId(route.source);
  throw new LockstepError("VERIFY_KEY", `the keys of ${id} can't be compared`, { details: { table: id } });
}

/** For a row that the source hasn't got under this key, or not any more. */
function sourceKey(route: RowMapping, key: readonly MappedColumn[], canonical: Key): Key | undefined {
  const forms = key.map(({ name, target: { form } }) => ({ name, form }));
  const printed = printedKey(route.schema, forms, canonical);
  const found = route.sourceKey(JSON.stringify(printed));
  return found === undefined ? undefined : (JSON.parse(found) as Key);
}
