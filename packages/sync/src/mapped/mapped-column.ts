import type { RowMapping, TableReader } from "@lockstep/core";
import { type ComparedColumn, type StoredColumn } from "../digest/column.js";
import { comparedColumn, type Pair, pairOf, partOf } from "../digest/pair.js";
import { canonicalText } from "../digest/canonical-text.js";
import { madeForm } from "./made-form.js";

/** A column of the target under a mapping. */
type Mapped = RowMapping["columns"][number];

/** A column of the target, and how its canonical text comes from a row of the source. */
export interface MappedColumn {
  readonly name: string;
  /** As the target stores it. */
  readonly target: ComparedColumn;
  /** A copy: the source's column, whose text the source's database makes. Absent: the mapping makes it. */
  readonly copies?: ComparedColumn;
  readonly pair: Pair;
  /** Its place in the mapped row. */
  readonly at: number;
  /** The canonical text of a cell of the mapped row. */
  readonly textOf: (cell: string) => string;
}

/** The columns that can be compared, and why others can't. Pure. */
export function mappedColumns(
  route: RowMapping,
  here: readonly StoredColumn[],
  there: readonly StoredColumn[],
  engines: { readonly source: Pick<TableReader, "engine">; readonly target: Pick<TableReader, "engine"> },
): { readonly columns: readonly MappedColumn[]; readonly leftOut: readonly Pair[] } {
  const columns: MappedColumn[] = [];
  const leftOut: Pair[] = [];
  route.columns.forEach((mapped, at) => {
    const made = mapped.from === "copy" ? copied(route, mapped, here) : madeAs(route, mapped);
    const pair = pairOf(engines.source, engines.target, made, there, mapped.schema.name);
    const column = compared(route, mapped, pair, { at, ...engines });
    if (column === undefined) leftOut.push({ ...pair, here: { ...made, name: mapped.schema.name } });
    else columns.push(column);
  });
  return { columns, leftOut };
}

function copied({ source }: RowMapping, mapped: Mapped, here: readonly StoredColumn[]): StoredColumn {
  const { name, type } = source.columns[mapped.from === "copy" ? mapped.at : 0]!;
  return here.find((column) => column.name === name) ?? { name, type };
}

/** A column that isn't stored at the source, as it would be. */
function madeAs({ schema }: RowMapping, { schema: { name, type } }: Mapped): StoredColumn {
  const place = schema.key.indexOf(name);
  return { name, type, ...(place >= 0 && { key: place + 1 }) };
}

function compared(
  { source, schema }: RowMapping,
  mapped: Mapped,
  pair: Pair,
  { at, ...engines }: { readonly at: number } & Parameters<typeof mappedColumns>[3],
): MappedColumn | undefined {
  const { here, there } = pair;
  if (there === undefined) return undefined;
  const isCopy = mapped.from === "copy";
  const stored = { engine: engines.target.engine, type: there.type };
  const form = isCopy ? pair.form : madeForm({ engine: engines.source.engine, type: here.type }, stored);
  if (form === undefined) return undefined;
  const isKey = schema.key.includes(mapped.schema.name);
  const own = partOf(engines.source, here);
  const part = form === "padded" || (isKey && own === "long") ? "free" : own;
  const formed = { column: mapped.schema, form, type: isCopy ? here.type : there.type };
  return {
    name: mapped.schema.name,
    target: comparedColumn(there, form, part),
    ...(isCopy && { copies: comparedColumn(here, form, part) }),
    pair: { ...pair, form },
    at,
    textOf: (cell) => canonicalText(source.engine, formed, cell),
  };
}
