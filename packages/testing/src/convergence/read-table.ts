import { type ColumnKind, type Engine, toCanonical } from "@lockstep/core";

/** Runs one statement on a database under comparison. */
type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>;

/** One side of a comparison. */
export interface Side {
  readonly engine: Engine;
  /** PostgreSQL schema or MySQL database the tables live in. */
  readonly namespace: string;
  readonly query: Query;
}

/** A column as one side declares it. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** Rows of a table by JSON key; each row is its columns' canonical texts. */
export type Rows = ReadonlyMap<string, ReadonlyMap<string, string | null>>;

// Deliberately written apart from the outbox's and targets' own code: an oracle that shares it would share its faults.
const kinds: readonly (readonly [RegExp, ColumnKind])[] = [
  [/^(boolean|tinyint\(1\))/, "boolean"],
  [/^(bytea|.*blob|.*binary)/, "bytes"],
  [/^bit/, "bits"],
  [/^(timestamp.* with time zone|timestamp(\(\d\))?$)/, "timestamptz"],
  [/^(timestamp|datetime)/, "timestamp"],
  [/^time/, "time"],
  [/^(real|double|float)/, "float"],
  [/^json/, "json"],
  [/^uuid/, "uuid"],
];

function kindOf(engine: Engine, type: string): ColumnKind {
  if (engine === "postgres" && /^timestamp.*without/.test(type)) return "timestamp";
  return kinds.find(([pattern]) => pattern.test(type))?.[1] ?? "text";
}

/** Names of the tables of a side, Lockstep's own left out. */
export async function tablesOf(side: Side): Promise<string[]> {
  const rows = await side.query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${side.namespace}' AND table_type = 'BASE TABLE' ORDER BY 1`,
  );
  return rows
    .map((row) => String(row["name"]))
    .filter((name) => !/^lockstep_|^(migrations|typeorm_metadata)$/.test(name));
}

/** Columns of a table, in the side's order. */
export async function columnsOf(side: Side, table: string): Promise<Column[]> {
  const type = side.engine === "postgres" ? "data_type" : "column_type";
  const rows = await side.query(
    `SELECT column_name AS name, ${type} AS type FROM information_schema.columns WHERE table_schema = '${side.namespace}' AND table_name = '${table}' ORDER BY ordinal_position`,
  );
  return rows.map((row) => ({ name: String(row["name"]), kind: kindOf(side.engine, String(row["type"])) }));
}

/** Columns of the primary key, in key order. */
export async function keyOf(side: Side, table: string): Promise<string[]> {
  const rows = await side.query(
    `SELECT k.column_name AS name FROM information_schema.table_constraints c JOIN information_schema.key_column_usage k
       ON k.constraint_name = c.constraint_name AND k.table_schema = c.table_schema AND k.table_name = c.table_name
     WHERE c.constraint_type = 'PRIMARY KEY' AND c.table_schema = '${side.namespace}' AND c.table_name = '${table}' ORDER BY k.ordinal_position`,
  );
  return rows.map((row) => String(row["name"]));
}

/** Every row of a table, as canonical texts. `kindOfColumn` is the source's view, so that both sides are read as the same thing. */
export async function readRows(
  side: Side,
  table: string,
  columns: readonly Column[],
  key: readonly string[],
  meaning: ReadonlyMap<string, ColumnKind>,
): Promise<Rows> {
  const list = columns
    .map((c) => `${expression(side.engine, c)} AS ${quote(side.engine, c.name)}`)
    .join(", ");
  const rows = await side.query(
    `SELECT ${list} FROM ${quote(side.engine, side.namespace)}.${quote(side.engine, table)}`,
  );
  const result = new Map<string, ReadonlyMap<string, string | null>>();
  for (const row of rows) {
    const cells = new Map(
      columns.map((c) => [c.name, canonical(side.engine, meaning.get(c.name) ?? c.kind, row[c.name])]),
    );
    result.set(JSON.stringify(key.map((name) => cells.get(name))), cells);
  }
  return result;
}

function canonical(engine: Engine, kind: ColumnKind, value: unknown): string | null {
  return value === null || value === undefined ? null : toCanonical(engine, { kind }, String(value));
}

function expression(engine: Engine, column: Column): string {
  const name = quote(engine, column.name);
  if (engine === "postgres") return `${name}::text`;
  if (column.kind === "bytes") return `HEX(${name})`;
  if (column.kind === "bits") return `BIN(${name})`;
  return `CAST(${name} AS CHAR)`;
}

function quote(engine: Engine, name: string): string {
  return engine === "postgres" ? `"${name.replaceAll('"', '""')}"` : `\`${name.replaceAll("`", "``")}\``;
}
