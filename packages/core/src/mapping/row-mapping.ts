import type { Cell, RowImage } from "../change-event.js";
import { tableId, type TableSchema } from "../table-schema.js";
import { callMapped } from "./call-mapped.js";
import { cellAt, type MappedColumn } from "./mapped-column.js";
import { needsWholeImage, rowReader } from "./source-row.js";
import type { SourceRow, TableMapping } from "./table-mapping.js";

/** How rows of one source schema become rows of one target's table. Pure: equal input, equal output. */
export interface RowMapping {
  readonly source: TableSchema;
  /** The table as the target gets it; its name is the target's. */
  readonly schema: TableSchema;
  /** What each column of `schema` is made of. */
  readonly columns: readonly MappedColumn[];
  /** True when it only renames and leaves out: SQL can do the same. */
  readonly plain: boolean;
  /** Cells that tell this mapping's rows from the others' in a table that it shares; absent when the table is its own. */
  readonly share?: Readonly<Record<string, string>>;
  /**
   * The target's row; `undefined` when the source's row is not to be there. Unknown cells stay unknown where they are only copied.
   * @throws LockstepError TRANSFORM_FAILED, MAPPING_NEEDS_WHOLE_IMAGE
   */
  mapRow(image: RowImage): RowImage | undefined;
  /** The target's key (JSON) of the row that has this key (JSON) at the source. */
  mapKey(key: string): string;
  /** The inverse; `undefined` when it can't be told, or the row isn't of this mapping. */
  sourceKey(key: string): string | undefined;
}

/** What a mapping of one schema is made of, checked. */
export interface RowMappingParts {
  readonly source: TableSchema;
  readonly schema: TableSchema;
  readonly columns: readonly MappedColumn[];
  /** The columns of `schema.key`, in its order. */
  readonly key: readonly MappedColumn[];
  readonly spec: TableMapping;
  readonly share?: Readonly<Record<string, string>>;
}

/** Makes it. */
export function rowMapping(parts: RowMappingParts): RowMapping {
  const { source, schema, columns, spec, share } = parts;
  const leaves = leaving(source, spec);
  const rowOf = rowReader(source);
  const computes = columns.some(({ from }) => from === "computed");
  const plain = leaves === undefined && columns.every(({ from }) => from === "copy");
  return {
    source,
    schema,
    columns,
    plain,
    ...(share === undefined ? {} : { share }),
    mapRow(image) {
      if (leaves?.(image) === true) return undefined;
      const row = computes ? rowOf(image) : undefined;
      const mapped = columns.map((column) => cellOf(source, column, image, row));
      // Behind a filter the target may not have the row whose value an unknown cell would keep.
      if (leaves !== undefined && mapped.includes(0))
        throw needsWholeImage(source, unknownName(parts, mapped));
      return mapped;
    },
    ...keyMapping(parts),
  };
}

function cellOf(source: TableSchema, column: MappedColumn, image: RowImage, row?: SourceRow): Cell {
  switch (column.from) {
    case "copy":
      return cellAt(image, column.at);
    case "hash": {
      const cell = cellAt(image, column.at);
      return typeof cell === "string" ? column.hash(cell) : cell;
    }
    case "fixed":
      return column.text;
    case "computed":
      return callMapped(tableId(source), `columns.${column.schema.name}`, () => column.value(row!));
    default:
      return column satisfies never;
  }
}

function unknownName({ schema }: RowMappingParts, mapped: RowImage): string {
  return schema.columns[mapped.indexOf(0)]!.name;
}

/** Tells rows that are not to be in the target; `undefined` when all are. */
function leaving(source: TableSchema, spec: TableMapping): ((image: RowImage) => boolean) | undefined {
  const { softDeleted } = spec;
  if (spec.where === undefined && softDeleted === undefined) return undefined;
  const rowOf = rowReader(source);
  const at = source.columns.findIndex(({ name }) => name === softDeleted);
  return (image) => {
    if (softDeleted !== undefined) {
      const cell = cellAt(image, at);
      if (cell === 0) throw needsWholeImage(source, softDeleted);
      if (cell !== null) return true;
    }
    if (spec.where === undefined) return false;
    return callMapped(tableId(source), "where", () => !isTrue(spec.where!(rowOf(image))));
  };
}

function isTrue(answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  throw new TypeError("where gave neither true nor false");
}

function keyMapping({ source, key }: RowMappingParts): Pick<RowMapping, "mapKey" | "sourceKey"> {
  const placeOf = (column: MappedColumn): number =>
    "at" in column ? source.key.indexOf(source.columns[column.at]!.name) : -1;
  const places = key.map(placeOf);
  const same = places.length === source.key.length && places.every((place, i) => place === i);
  if (same && key.every(({ from }) => from === "copy"))
    return { mapKey: (text) => text, sourceKey: (text) => text };
  return {
    mapKey(text) {
      const texts = JSON.parse(text) as string[];
      return JSON.stringify(key.map((column, i) => keyText(column, texts[places[i]!])));
    },
    sourceKey(text) {
      const texts = JSON.parse(text) as string[];
      const own = key.every((column, i) => column.from !== "fixed" || column.text === texts[i]);
      if (!own || key.some(({ from }) => from === "hash")) return undefined;
      return JSON.stringify(source.key.map((_, place) => texts[places.indexOf(place)]));
    },
  };
}

function keyText(column: MappedColumn, text: string | undefined): string | null {
  if (column.from === "fixed") return column.text;
  return column.from === "hash" ? column.hash(text!) : text!;
}
