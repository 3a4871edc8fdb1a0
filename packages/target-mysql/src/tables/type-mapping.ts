import { assertNever, LockstepError, tableId, type ColumnSchema, type TableSchema } from "@lockstep/core";
import type { Flavour } from "../session/flavour.js";

/** What managed tables may be told about their columns. */
export interface TypeChoice {
  /** Types chosen by the user, by `namespace.table.column` of the source. */
  readonly columnTypes: Readonly<Record<string, string>>;
  /** Length of a text or bytes column that is part of a key and has none at the source. */
  readonly keyLength: number;
}

/** Longer VARCHARs become LONGTEXT: a table's VARCHARs share 65535 bytes. */
const longestVarchar = 255;

/**
 * The type of a managed column. From another MySQL or MariaDB the exact type is kept; from PostgreSQL it goes by kind:
 *
 * | kind | type | |
 * |---|---|---|
 * | boolean | TINYINT(1) | |
 * | integer | SMALLINT, INT, BIGINT | others BIGINT |
 * | numeric(p,s) | DECIMAL(p,s) | up to 65 digits and scale 30 (MariaDB 38); unbounded: refused until a type is chosen |
 * | float | DOUBLE | real too; NaN and infinity are refused per row |
 * | text | VARCHAR(n) up to 255, else LONGTEXT | in a key VARCHAR(n), VARCHAR(`keyLength`) when unbounded |
 * | bytes | LONGBLOB | in a key VARBINARY |
 * | bits | BIT(n) up to 64 | varying or longer: text |
 * | uuid | CHAR(36) | |
 * | json, jsonb | LONGTEXT | holds the text as it is: MariaDB's JSON refuses more than 32 levels, MySQL's rewrites numbers and order |
 * | enum | VARCHAR(255) | |
 * | date | DATE | years 0001 to 9999; infinity and BC are refused per row |
 * | time | TIME(6) | |
 * | timestamp, timestamptz | DATETIME(6) | timestamptz in UTC |
 * | other (arrays, interval, ranges, …) | LONGTEXT | the text PostgreSQL prints; in a key VARCHAR |
 *
 * @throws LockstepError COLUMN_TYPE_UNSUPPORTED.
 */
export function columnType(
  schema: TableSchema,
  column: ColumnSchema,
  flavour: Flavour,
  choice: TypeChoice,
): string {
  const chosen = choice.columnTypes[`${tableId(schema)}.${column.name}`];
  if (chosen !== undefined) return chosen;
  if (schema.engine === "mysql") return sameEngine(column, flavour);
  const inKey = schema.key.includes(column.name);
  switch (column.kind) {
    case "boolean":
      return "TINYINT(1)";
    case "integer":
      return integerType(column.type);
    case "numeric":
      return decimalType(schema, column, flavour);
    case "float":
      return "DOUBLE";
    case "bytes":
      return inKey ? `VARBINARY(${column.length ?? choice.keyLength})` : "LONGBLOB";
    case "bits":
      return bitsType(column, inKey, choice);
    case "uuid":
      return "CHAR(36)";
    case "json":
      return "LONGTEXT";
    case "enum":
      return "VARCHAR(255)";
    case "date":
      return "DATE";
    case "time":
      return "TIME(6)";
    case "timestamp":
    case "timestamptz":
      return "DATETIME(6)";
    case "text":
    case "other":
      return textType(column, inKey, choice);
    default:
      return assertNever(column.kind);
  }
}

// MySQL's JSON type exists on MariaDB only as LONGTEXT with a CHECK that refuses more than 32 levels.
function sameEngine(column: ColumnSchema, flavour: Flavour): string {
  return column.type.toLowerCase() === "json" && flavour.product === "mariadb" ? "LONGTEXT" : column.type;
}

function integerType(type: string): string {
  if (/^(smallint|int2)/.test(type)) return "SMALLINT";
  return /^(integer|int4|int$)/.test(type) ? "INT" : "BIGINT";
}

function decimalType(schema: TableSchema, column: ColumnSchema, flavour: Flavour): string {
  if (column.precision === undefined) {
    throw unsupported(schema, column, "has no bound; choose a precision in columnTypes");
  }
  const scale = column.scale ?? 0;
  const digits = Math.max(column.precision - Math.min(scale, 0), scale, 1);
  if (digits > 65 || scale > flavour.maxScale)
    throw unsupported(schema, column, "has more digits than DECIMAL");
  return `DECIMAL(${digits},${Math.max(scale, 0)})`;
}

function bitsType(column: ColumnSchema, inKey: boolean, choice: TypeChoice): string {
  const length = column.length ?? Number(/\((\d+)\)/.exec(column.type)?.[1] ?? 1);
  if (/var/.test(column.type) || length > 64) return textType({ kind: "other" }, inKey, choice);
  return `BIT(${length})`;
}

function textType(column: Pick<ColumnSchema, "kind" | "length">, inKey: boolean, choice: TypeChoice): string {
  if (inKey) return `VARCHAR(${Math.min(column.length ?? choice.keyLength, 768)})`;
  if (column.length === undefined || column.length > longestVarchar) return "LONGTEXT";
  return `VARCHAR(${column.length})`;
}

function unsupported(schema: TableSchema, column: ColumnSchema, why: string): LockstepError {
  const name = `${tableId(schema)}.${column.name}`;
  return new LockstepError("COLUMN_TYPE_UNSUPPORTED", `${name} (${column.type}) ${why}`, {
    details: { column: name },
  });
}
