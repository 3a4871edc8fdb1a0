import {
  type HeldRow,
  type HeldRows,
  mappingOf,
  type RowMapping,
  type TableReader,
  tableId,
  type TableSchema,
  toCanonical,
} from "@lockstep/core";
import { columnsOf } from "../digest/catalog.js";
import type { ComparedColumn, Key, StoredColumn } from "../digest/column.js";
import type { ComparedTable } from "../digest/compared-table.js";
import { comparedColumn, partOf } from "../digest/pair.js";
import { MappedSide, type SideColumn } from "../mapped/mapped-side.js";
import { HeldSide } from "./held-side.js";

/** A source and a store without SQL. */
export interface HeldSides {
  readonly source: TableReader;
  readonly held: HeldRows;
}

/**
 * Looks at a table beside what a store without SQL holds of it: rows of both are read whole, and hashed here. `route`: what a mapping makes of them.
 * `undefined` when the source has none of this name.
 */
export async function compareHeld(
  { source, held }: HeldSides,
  table: TableSchema,
  route?: RowMapping,
): Promise<ComparedTable | undefined> {
  const stored = await columnsOf(source, table);
  if (stored.length === 0) return undefined;
  const made = route ?? asItIs(table);
  const { schema } = made;
  const columns = schema.columns.map((column, at): SideColumn & { readonly name: string } => ({
    ...textColumn(column.name, at),
    name: column.name,
    textOf: (cell) => toCanonical(schema.engine, column, cell),
  }));
  const key = schema.key.map((name) =>
    textColumn(
      name,
      schema.columns.findIndex((one) => one.name === name),
    ),
  );
  const hidesKey = made.columns.some(
    ({ from, schema: { name } }) => from === "hash" && schema.key.includes(name),
  );
  const sourceKey = (mapped: Key): Key | undefined => parsed(made.sourceKey(JSON.stringify(mapped)));
  const mappedKey = (printed: Key): Key => JSON.parse(made.mapKey(JSON.stringify(printed))) as Key;
  const known = {
    ...(!hidesKey && { source: storedKey(source, table, stored) }),
    strip: sourceKey,
    fill: mappedKey,
  };
  const shares = Object.entries(made.share ?? {}).map(([name, text]) => {
    const at = schema.columns.findIndex((column) => column.name === name);
    return { at, text: columns[at]!.textOf(text) };
  });
  const isOwn = ({ texts }: HeldRow): boolean => shares.every(({ at, text }) => texts[at] === text);
  const shown = made.columns.map((column) => ({
    name: column.schema.name,
    ...(column.from === "copy" && { shows: table.columns[column.at]!.name }),
  }));
  const target = new HeldSide({ held, schema, columns, key, isOwn });
  return {
    id: tableId(table),
    ...(route !== undefined && { to: schema.name }),
    source: new MappedSide({ reader: source, stored, route: made, columns, key, known }),
    target,
    sourceKey,
    canonicalKey: mappedKey,
    hidesKey,
    columns: shown,
    key: schema.key.map((name) => shown.find((column) => column.name === name)!),
    leftOut: [],
    isOrderedAlike: false,
    ...(!held.isWhole && { held: () => target.keys() }),
  };
}

/** A mapping that changes nothing. */
function asItIs(table: TableSchema): RowMapping {
  return mappingOf({ [tableId(table)]: {} }).routes(table)![0]!;
}

function textColumn(name: string, at: number): SideColumn {
  const target = { name, type: "text", form: "text", part: "free" } as const;
  return { target, at, textOf: (cell) => cell };
}

function storedKey(
  source: TableReader,
  table: TableSchema,
  stored: readonly StoredColumn[],
): readonly ComparedColumn[] {
  return table.key.map((name) => {
    const column = stored.find((one) => one.name === name) ?? { name, type: "" };
    return comparedColumn(column, "stored", partOf(source, column));
  });
}

function parsed(key: string | undefined): Key | undefined {
  return key === undefined ? undefined : (JSON.parse(key) as Key);
}
