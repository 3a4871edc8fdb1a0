import {
  fingerprintOf,
  type ColumnSchema,
  type RowNote,
  type RunStatement,
  type TableSchema,
} from "@lockstep/core";
import { cellOf } from "./cell.js";
import { mysqlColumnKind } from "./column-kind.js";
import { quoteTable, quoteText } from "./quote.js";

/** A table as it is now, with the expressions that read a row. */
export interface TableShape {
  readonly schema: TableSchema;
  readonly keyColumns: readonly ColumnSchema[];
  /** Places of the key's columns among all columns, in key order. */
  readonly keyIndexes: readonly number[];
  /** Columns for whose new values the server may refuse a row: of unique indexes and of foreign keys. */
  readonly refusable: readonly string[];
  /** All columns' texts, under the aliases `c0…`. */
  readonly cells: string;
}

/** Gives the shapes of tables; remembers those it has met. */
export type ShapeReader = (run: RunStatement, table: RowNote["table"]) => Promise<TableShape | undefined>;

/**
 * SHOW CREATE TABLE is how a change is noticed: one cheap statement, where the information schema takes several times as long as
 * the rest of a flush. It is current whatever the transaction's snapshot, and the transaction's metadata lock on a table it has
 * used keeps it so until the images are read (PROTOCOL.md 12).
 */
export function shapeReader(): ShapeReader {
  const shapes = new Map<string, TableShape>();
  return async (run, table) => {
    const definition = await showCreate(run, table);
    if (definition === undefined) return undefined;
    const id = `${table.namespace}\u0000${definition}`;
    let shape = shapes.get(id);
    if (!shape) {
      shape = shapeOf(await readSchema(run, table, definition), await readRefusable(run, table));
      if (shapes.size >= maxRemembered) shapes.delete(shapes.keys().next().value!);
      shapes.set(id, shape);
    }
    return shape;
  };
}

const maxRemembered = 2_000;
const noSuchTable = 1146;
const unknownDatabase = 1049;

async function showCreate(run: RunStatement, table: RowNote["table"]): Promise<string | undefined> {
  try {
    const [row] = await run(`SHOW CREATE TABLE ${quoteTable(table)}`);
    return String(row?.["Create Table"]).replace(/ AUTO_INCREMENT=\d+/, "");
  } catch (error) {
    if (causedBy(error, noSuchTable) || causedBy(error, unknownDatabase)) return undefined;
    throw error;
  }
}

/** Whether an error, or what a wrapper around it carries, has MySQL's error number. */
export function causedBy(error: unknown, errno: number): boolean {
  if (!(error instanceof Error)) return false;
  if ("errno" in error && error.errno === errno) return true;
  return "driverError" in error && error.driverError !== error && causedBy(error.driverError, errno);
}

function shapeOf(schema: TableSchema, refusable: readonly string[]): TableShape {
  const keyIndexes = schema.key.map((name) => schema.columns.findIndex((column) => column.name === name));
  const keyColumns = keyIndexes.map((index) => schema.columns[index]!);
  const cells = schema.columns.map((column, i) => `${cellOf(column)} AS c${i}`).join(", ");
  return { schema, keyColumns, keyIndexes, refusable, cells };
}

async function readRefusable(run: RunStatement, table: RowNote["table"]): Promise<string[]> {
  const where = `table_schema = ${quoteText(table.namespace)} AND table_name = ${quoteText(table.name)}`;
  const rows = await run(`SELECT column_name AS name FROM information_schema.statistics
  WHERE ${where} AND non_unique = 0 AND column_name IS NOT NULL
  UNION SELECT column_name FROM information_schema.key_column_usage WHERE ${where} AND referenced_table_name IS NOT NULL ORDER BY 1`);
  return rows.map((row) => textOf(row["name"]));
}

async function readSchema(
  run: RunStatement,
  table: RowNote["table"],
  definition: string,
): Promise<TableSchema> {
  const where = `table_schema = ${quoteText(table.namespace)} AND table_name = ${quoteText(table.name)}`;
  const columns =
    await run(`SELECT column_name AS name, data_type AS base, column_type AS type, is_nullable AS nullable,
  character_maximum_length AS length, numeric_precision AS digits, numeric_scale AS scale,
  datetime_precision AS fraction, extra AS extra
  FROM information_schema.columns WHERE ${where} ORDER BY ordinal_position`);
  const key = await run(`SELECT column_name AS name FROM information_schema.statistics
  WHERE ${where} AND index_name = 'PRIMARY' ORDER BY seq_in_index`);
  const schema = {
    engine: "mysql" as const,
    namespace: table.namespace,
    name: table.name,
    columns: columns.map((row) => columnOf(row, definition)),
    key: key.map((row) => textOf(row["name"])),
  };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

type CatalogRow = Readonly<Record<string, unknown>>;

function columnOf(row: CatalogRow, definition: string): ColumnSchema {
  const name = textOf(row["name"]);
  const base = textOf(row["base"]).toLowerCase();
  const type = textOf(row["type"]);
  const checkedJson = base === "longtext" && validatesJson(definition, name);
  return {
    name,
    type,
    kind: mysqlColumnKind(base, type, checkedJson),
    nullable: textOf(row["nullable"]) === "YES",
    ...sizeOf(base, row),
    ...(/virtual|stored|persistent/i.test(textOf(row["extra"])) ? { generated: true } : {}),
  };
}

/** MariaDB's JSON columns are longtext with a check; the session's settings say how names are quoted in it, if at all. */
function validatesJson(definition: string, name: string): boolean {
  const quoted = ["`", '"'].map((quote) => quote + name.replaceAll(quote, quote + quote) + quote);
  return [...quoted, name].some((text) => definition.includes(`json_valid(${text})`));
}

/** Length, precision and scale as `ColumnSchema` means them. Pure. */
export function sizeOf(base: string, row: CatalogRow): Pick<ColumnSchema, "length" | "precision" | "scale"> {
  switch (base) {
    case "char":
    case "varchar":
    case "binary":
    case "varbinary":
      return { length: Number(row["length"]) };
    case "bit":
      return { length: Number(row["digits"]) };
    case "decimal":
      return { precision: Number(row["digits"]), scale: Number(row["scale"]) };
    case "time":
    case "datetime":
    case "timestamp":
      return { precision: Number(row["fraction"] ?? 0) };
    default:
      return {};
  }
}

/** The information schema's texts are bytes on some servers and drivers. */
function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString("utf8") : String(value ?? "");
}
