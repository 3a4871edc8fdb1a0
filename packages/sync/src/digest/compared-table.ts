import { LockstepError, type RowMapping, type TableReader, tableId, type TableSchema } from "@lockstep/core";
import { columnsOf, dialects } from "./catalog.js";
import type { ComparedColumn, HashMethod, Key, StoredColumn } from "./column.js";
import { comparedColumn, isOrderedAlike, type Pair, pairOf } from "./pair.js";
import { canonicalText } from "./canonical-text.js";
import { printedKey } from "./printed-key.js";
import { type Side, TableSide } from "./table-side.js";

/** A column that is not compared, and why. */
export interface LeftOut {
  readonly column: string;
  readonly why: string;
}

/** A column of the target. */
export interface ShownColumn {
  readonly name: string;
  /** The column of the source whose values it holds as they are; absent where a mapping makes them, which are nobody's to see. */
  readonly shows?: string;
}

/** A table of the source and what mirrors it. */
export interface ComparedTable {
  /** `namespace.name` at the source. */
  readonly id: string;
  /** The target's name of it, where a mapping makes other rows of its rows. */
  readonly to?: string;
  readonly source: Side;
  /** Absent: the target has no such table, and so none of its rows. */
  readonly target?: Side;
  /** The source's key, as the source prints it, of a row with this canonical one; `undefined` where it can't be told. */
  readonly sourceKey: (canonical: Key) => Key | undefined;
  /** The canonical key of the row with this one at the source. */
  readonly canonicalKey: (key: Key) => Key;
  /** A mapping masks the source's key: nobody is to see it. */
  readonly hidesKey: boolean;
  /** All that is compared, in the order of {@link Side.texts}. */
  readonly columns: readonly ShownColumn[];
  /** Those of the canonical key. */
  readonly key: readonly ShownColumn[];
  readonly leftOut: readonly LeftOut[];
  /** Of a cache, from which rows may go by themselves: keys of what it holds. That a row isn't there is no difference. */
  readonly held?: () => AsyncIterable<readonly string[]>;
  /** Whether both sides have their rows in the same order of keys. */
  readonly isOrderedAlike: boolean;
}

/** Two databases. */
export interface Sides {
  readonly source: TableReader;
  readonly target: TableReader;
}

/** A mapping that only renames and leaves out. */
export type Renaming = Pick<RowMapping, "source" | "schema" | "columns">;

/** Looks at a table on both sides; `undefined` when the source has none of this name. @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY, VERIFY_KEY. */
export async function compareTable(
  { source, target }: Sides,
  table: Pick<TableSchema, "namespace" | "name" | "engine" | "columns">,
  renaming?: Renaming,
): Promise<ComparedTable | undefined> {
  const id = tableId(table);
  const mirror = { namespace: table.namespace, name: renaming?.schema.name ?? table.name };
  const [here, there] = await Promise.all([columnsOf(source, table), columnsOf(target, mirror)]);
  if (here.length === 0) return undefined;
  const keyed = here.filter(({ key }) => key !== undefined).toSorted((a, b) => a.key! - b.key!);
  if (keyed.length === 0) throw new LockstepError("TABLE_WITHOUT_PRIMARY_KEY", `no primary key: ${id}`);
  const isMissing = there.length === 0;
  const names = namesOf(renaming, here);
  const pairs = here.map((column) =>
    isMissing
      ? pairOf(source, source, column, here, column.name)
      : pairOf(source, target, column, there, names(column.name)),
  );
  const compared = pairs.filter((pair) => pair.form !== undefined);
  const keys = keyed.map(({ name }) => compared.find((pair) => pair.here.name === name));
  if (!keys.every((pair) => pair !== undefined)) {
    throw new LockstepError("VERIFY_KEY", `the keys of ${id} can't be compared`, { details: { table: id } });
  }
  const method = await methodOf(source, isMissing ? source : target);
  const sideOf = (reader: TableReader, which: "here" | "there"): TableSide => {
    const dialect = dialects[reader.engine];
    const columnOf = (pair: Pair): ComparedColumn => comparedColumn(pair[which]!, pair.form!, pair.part);
    return new TableSide({
      reader,
      dialect,
      table: dialect.table(reader.namespace ?? table.namespace, which === "here" ? table.name : mirror.name),
      key: keys.map(columnOf),
      columns: compared.map(columnOf),
      method,
    });
  };
  return {
    id,
    source: sideOf(source, "here"),
    ...(!isMissing && { target: sideOf(target, "there") }),
    sourceKey: (canonical) =>
      printedKey(
        table,
        keys.map(({ here, form }) => ({ name: here.name, form: form! })),
        canonical,
      ),
    canonicalKey: (key) =>
      keys.map(({ here: { name, type }, form }, i) => {
        const column = table.columns.find((one) => one.name === name)!;
        return canonicalText(table.engine, { column, form: form!, type }, key[i]!);
      }),
    hidesKey: false,
    columns: compared.map(({ here: { name } }) => ({ name, shows: name })),
    key: keys.map(({ here: { name } }) => ({ name, shows: name })),
    leftOut: pairs.flatMap(({ here, why }) => (why === undefined ? [] : [{ column: here.name, why }])),
    isOrderedAlike: isMissing || keys.every((pair) => isOrderedAlike(source, target, pair)),
  };
}

/** What the target calls a column of the source; `undefined` when it hasn't got it. */
function namesOf(
  renaming: Renaming | undefined,
  columns: readonly StoredColumn[],
): (name: string) => string | undefined {
  if (renaming === undefined) return (name) => name;
  const names = new Map<string, string>();
  for (const column of renaming.columns) {
    if (column.from === "copy") names.set(renaming.source.columns[column.at]!.name, column.schema.name);
  }
  // One that is newer than the mapping's schema goes as it is, or not at all: the target's table says which.
  const known = new Set(renaming.source.columns.map(({ name }) => name));
  for (const { name } of columns) if (!known.has(name)) names.set(name, name);
  return (name) => names.get(name);
}

/** hash_record_extended is there from PostgreSQL 14 on. */
async function methodOf(...readers: readonly TableReader[]): Promise<HashMethod> {
  if (readers.every(({ engine }) => engine === "mysql")) return "sha1";
  for (const reader of readers) {
    if (reader.engine !== "postgres") return "md5";
    const [row] = await reader.rows("select current_setting('server_version_num')");
    if (Number(row![0]) < 140_000) return "md5";
  }
  return "record";
}
