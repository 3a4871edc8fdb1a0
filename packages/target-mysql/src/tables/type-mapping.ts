import { assertNever, tableId, type ColumnSchema, type TableSchema } from "@lockstep/core";
import type { Flavour } from "../session/flavour.js";
import { enumMembers } from "./enum-members.js";

/** What managed tables may be told about their columns. */
export interface TypeChoice {
  /** Types chosen by the user, by `namespace.table.column` of the source. */
  readonly columnTypes: Readonly<Record<string, string>>;
  /** Length of a text or bytes column that is part of a key and has none at the source. */
  readonly keyLength: number;
}

/** Longer VARCHARs become LONGTEXT: a table's VARCHARs share 65535 bytes. */
const longestVarchar = 255;
/** Digits of the widest DECIMAL, and how many of them stand behind the point where the source sets no bound. */
const mostDigits = 65;
const unboundedScale = 30;

/**
 * The type of a managed column. From another MySQL or MariaDB the type is kept (with room for what utf8mb4 and a source without strict
 * mode need: texts are one size larger, enums have an empty member); from PostgreSQL it goes by kind:
 *
 * | kind | type | |
 * |---|---|---|
 * | boolean | TINYINT(1) | |
 * | integer | SMALLINT, INT, BIGINT | others BIGINT |
 * | numeric(p,s) | DECIMAL(p,s) | at most 65 digits and scale 30 (MariaDB 38) |
 * | numeric | DECIMAL(65,30) | what doesn't fit is refused per row, never rounded |
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
      return decimalType(column, flavour);
    case "float":
      return "DOUBLE";
    case "bytes":
      return inKey ? `VARBINARY(${column.length ?? choice.keyLength})` : "LONGBLOB";
    case "bits":
      return bitsType(column, inKey, choice);
    case "uuid":
      return "CHAR(36)";
    case "json":
      return textType({ kind: "json" }, inKey, choice);
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

/** Texts are bounded in bytes, and a character of the source's charset may take more of them in utf8mb4. */
const roomier: Readonly<Record<string, string>> = {
  tinytext: "text",
  text: "mediumtext",
  mediumtext: "longtext",
};
/** Beyond this a VARCHAR of utf8mb4 is longer than a row may be. */
const longestUtf8Varchar = 16_383;

function sameEngine(column: ColumnSchema, flavour: Flavour): string {
  const type = column.type.toLowerCase();
  // MySQL's JSON type exists on MariaDB only as LONGTEXT with a CHECK that refuses more than 32 levels.
  if (type === "json" && flavour.product === "mariadb") return "LONGTEXT";
  if (type.startsWith("enum(")) return withEmptyMember(column.type);
  if (type.startsWith("varchar(") && (column.length ?? 0) > longestUtf8Varchar) return "LONGTEXT";
  return roomier[type] ?? column.type;
}

// Without strict mode a source stores '' for what is no member; a strict session can't write that. In front: it sorts there.
function withEmptyMember(type: string): string {
  return enumMembers(type).includes("") ? type : type.replace(/^enum\(/i, "enum('',");
}

function integerType(type: string): string {
  if (/^(smallint|int2)/.test(type)) return "SMALLINT";
  return /^(integer|int4|int$)/.test(type) ? "INT" : "BIGINT";
}

// The widest DECIMAL there is, not a refusal: TypeORM's "decimal" has no bound, and one such column would hold up every table.
function decimalType({ precision, scale = 0 }: ColumnSchema, flavour: Flavour): string {
  if (precision === undefined) return `DECIMAL(${mostDigits},${unboundedScale})`;
  const kept = Math.min(Math.max(scale, 0), flavour.maxScale);
  const whole = Math.max(precision - scale, 0);
  return `DECIMAL(${Math.min(Math.max(whole + kept, 1), mostDigits)},${kept})`;
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
