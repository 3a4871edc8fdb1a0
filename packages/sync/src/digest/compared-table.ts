import { LockstepError, type RowMapping, type TableReader, tableId, type TableSchema } from "@lockstep/core";
import type { ComparedColumn, Dialect, HashMethod, StoredColumn } from "./column.js";
import { classOf, type Form, formOf, type StoredClass } from "./form.js";
import { mysqlDialect } from "./mysql-dialect.js";
import { postgresDialect } from "./postgres-dialect.js";
import { TableSide } from "./table-side.js";

/** A column that is not compared, and why. */
export interface LeftOut {
  readonly column: string;
  readonly why: string;
}

/** A table of the source and what mirrors it. */
export interface ComparedTable {
  /** `namespace.name` at the source. */
  readonly id: string;
  readonly source: TableSide;
  /** Absent: the target has no such table, and so none of its rows. */
  readonly target?: TableSide;
  readonly key: readonly ComparedColumn[];
  /** Names of all that is compared, in the order of {@link TableSide.texts}. */
  readonly columns: readonly string[];
  readonly leftOut: readonly LeftOut[];
  /** Whether both sides have their rows in the same order of keys. */
  readonly isOrderedAlike: boolean;
}

/** Two databases. */
export interface Sides {
  readonly source: TableReader;
  readonly target: TableReader;
}

const dialects: Readonly<Record<TableReader["engine"], Dialect>> = {
  postgres: postgresDialect,
  mysql: mysqlDialect,
};

/** A mapping that only renames and leaves out. */
export type Renaming = Pick<RowMapping, "source" | "schema" | "columns">;

/** Looks at a table on both sides; `undefined` when the source has none of this name. @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY, VERIFY_KEY. */
export async function compareTable(
  { source, target }: Sides,
  table: Pick<TableSchema, "namespace" | "name">,
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
    const columnOf = (pair: Pair): ComparedColumn => ({
      name: pair[which]!.name,
      type: pair[which]!.type,
      ...collationOf(pair[which]!),
      form: pair.form!,
      part: pair.part,
    });
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
    key: keys.map(({ here, form, part }) => ({ name: here.name, type: here.type, form: form!, part })),
    columns: compared.map(({ here }) => here.name),
    leftOut: pairs.flatMap(({ here, why }) => (why === undefined ? [] : [{ column: here.name, why }])),
    isOrderedAlike: isMissing || keys.every((pair) => isOrderedAlike(source, target, pair)),
  };
}

async function columnsOf(
  reader: TableReader,
  { namespace, name }: Pick<TableSchema, "namespace" | "name">,
): Promise<readonly StoredColumn[]> {
  const query = dialects[reader.engine].columnsQuery(reader.namespace ?? namespace, name);
  return (await reader.rows(query)).map(([name, type, collation, key]) => ({
    name: name!,
    type: type!,
    ...(collation != null && { collation }),
    ...(key != null && { key: Number(key) }),
  }));
}

function collationOf({ collation }: StoredColumn): Pick<StoredColumn, "collation"> {
  return collation === undefined ? {} : { collation };
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

/** A column of the source and its counterpart. `why`: they are not compared. */
interface Pair {
  readonly here: StoredColumn;
  readonly there?: StoredColumn;
  readonly form?: Form;
  readonly part: ComparedColumn["part"];
  readonly why?: string;
}

function pairOf(
  source: TableReader,
  target: TableReader,
  here: StoredColumn,
  columns: readonly StoredColumn[],
  wanted: string | undefined,
): Pair {
  const part = partOf(source, here);
  if (wanted === undefined) return { here, part, why: "the mapping leaves it out" };
  const folded = (name: string): string => (target.engine === "mysql" ? name.toLowerCase() : name);
  const there = columns.find(({ name }) => folded(name) === folded(wanted));
  if (there === undefined) return { here, part, why: "the target has no such column" };
  const form = formOf(
    { engine: source.engine, type: here.type },
    { engine: target.engine, type: there.type },
  );
  if (form !== undefined) return { here, there, form, part: form === "padded" ? "free" : part };
  return { here, there, part, why: `nothing tells whether ${here.type} equals ${there.type}` };
}

const plain: ReadonlySet<StoredClass> = new Set<StoredClass>([
  "number",
  "float",
  "bytes",
  "bits",
  "moment",
  "date",
  "time",
  "uuid",
]);
const longestFree = 255;
/** At most 64 KiB. */
const shortTexts = /^(varchar|char|tinytext|text|enum|set)\b/;

function partOf({ engine }: TableReader, { type, key }: StoredColumn): ComparedColumn["part"] {
  if (plain.has(classOf({ engine, type }))) return "plain";
  if (key !== undefined) return "free";
  if (engine === "mysql" && shortTexts.test(type)) return "free";
  const length = Number(/\((\d+)\)/.exec(type)?.[1] ?? Infinity);
  return length <= longestFree ? "free" : "long";
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

/** Wrong answers cost time, not truth: a row that one side looks for elsewhere is looked at again by its key. */
function isOrderedAlike(source: TableReader, target: TableReader, { here, there }: Pair): boolean {
  const isOneEngine = source.engine === target.engine;
  switch (classOf({ engine: source.engine, type: here.type })) {
    case "number":
    case "float":
    case "moment":
    case "date":
    case "bytes":
      return true;
    case "uuid":
      // MariaDB's own type has an order of its own.
      return isOneEngine || source.engine === "postgres";
    case "text":
    case "padded":
      return isOneEngine ? here.collation === there?.collation : isBinary(here) && isBinary(there);
    default:
      return isOneEngine && here.type === there?.type;
  }
}

function isBinary(column: StoredColumn | undefined): boolean {
  return /^(C|POSIX|C\.utf-?8)$|_bin$/i.test(column?.collation ?? "");
}
