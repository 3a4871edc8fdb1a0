import { LockstepError, type TableReader, tableId, type TableSchema } from "@lockstep/core";
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

/** Looks at a table on both sides; `undefined` when the source has none of this name. @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY, VERIFY_KEY. */
export async function compareTable(
  { source, target }: Sides,
  table: Pick<TableSchema, "namespace" | "name">,
): Promise<ComparedTable | undefined> {
  const id = tableId(table);
  const [here, there] = await Promise.all([columnsOf(source, table), columnsOf(target, table)]);
  if (here.length === 0) return undefined;
  const keyed = here.filter(({ key }) => key !== undefined).toSorted((a, b) => a.key! - b.key!);
  if (keyed.length === 0) throw new LockstepError("TABLE_WITHOUT_PRIMARY_KEY", `no primary key: ${id}`);
  const isMissing = there.length === 0;
  const pairs = here.map((column) => pairOf(source, target, column, isMissing ? here : there));
  const compared = pairs.filter((pair) => pair.form !== undefined);
  const keys = keyed.map(({ name }) => compared.find((pair) => pair.here.name === name));
  if (!keys.every((pair) => pair !== undefined)) {
    throw new LockstepError("VERIFY_KEY", `the keys of ${id} can't be compared`, { details: { table: id } });
  }
  const method = await methodOf(source, target);
  const sideOf = (reader: TableReader, which: "here" | "there"): TableSide => {
    const dialect = dialects[reader.engine];
    const columnOf = (pair: Pair): ComparedColumn => ({
      name: pair[which]!.name,
      type: pair[which]!.type,
      form: pair.form!,
      part: pair.part,
    });
    return new TableSide({
      reader,
      dialect,
      table: dialect.table(reader.namespace ?? table.namespace, table.name),
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
): Pair {
  const isNamed =
    target.engine === "mysql"
      ? ({ name }: StoredColumn) => name.toLowerCase() === here.name.toLowerCase()
      : ({ name }: StoredColumn) => name === here.name;
  const there = columns.find(isNamed);
  const part = partOf(source, here);
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

function partOf({ engine }: TableReader, { type, key }: StoredColumn): ComparedColumn["part"] {
  if (plain.has(classOf({ engine, type }))) return "plain";
  if (key !== undefined) return "free";
  const length = Number(/\((\d+)\)/.exec(type)?.[1] ?? Infinity);
  return length <= longestFree ? "free" : "long";
}

/** hash_record_extended is there from PostgreSQL 14 on. */
async function methodOf(...readers: readonly TableReader[]): Promise<HashMethod> {
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
