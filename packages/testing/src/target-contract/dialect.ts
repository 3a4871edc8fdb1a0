import type { ColumnSchema, Engine } from "@lockstep/core";

/** A column type that both engines have. */
export type ContractType =
  | "integer"
  | "bigint"
  | "numeric"
  | "float"
  | "boolean"
  | "string"
  | "text"
  | "bytes"
  | "bits"
  | "json"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz";

type ColumnType = Omit<ColumnSchema, "name" | "nullable">;

/** What differs between the engines in the SQL and the schemas of the suite. */
interface Dialect {
  readonly types: Readonly<Record<ContractType, ColumnType>>;
  readonly namespace: string;
  quote(name: string): string;
  /** An SQL expression that gives a column's text as a row image holds it. */
  printed(column: string, type: ContractType): string;
}

const postgres: Dialect = {
  namespace: "public",
  types: {
    integer: { type: "integer", kind: "integer" },
    bigint: { type: "bigint", kind: "integer" },
    numeric: { type: "numeric(12,2)", kind: "numeric", precision: 12, scale: 2 },
    float: { type: "double precision", kind: "float" },
    boolean: { type: "boolean", kind: "boolean" },
    string: { type: "character varying(40)", kind: "text", length: 40 },
    text: { type: "text", kind: "text" },
    bytes: { type: "bytea", kind: "bytes" },
    bits: { type: "bit(8)", kind: "bits", length: 8 },
    json: { type: "jsonb", kind: "json" },
    date: { type: "date", kind: "date" },
    time: { type: "time(6) without time zone", kind: "time", precision: 6 },
    timestamp: { type: "timestamp(6) without time zone", kind: "timestamp", precision: 6 },
    timestamptz: { type: "timestamp(6) with time zone", kind: "timestamptz", precision: 6 },
  },
  quote: (name) => `"${name.replaceAll('"', '""')}"`,
  printed: (column, type) =>
    type === "timestamptz"
      ? `(${column} at time zone 'UTC')::text || '+00'`
      : type === "bytes"
        ? `'\\x' || encode(${column}, 'hex')`
        : `${column}::text`,
};

const mysql: Dialect = {
  namespace: "app",
  types: {
    integer: { type: "int(11)", kind: "integer" },
    bigint: { type: "bigint(20)", kind: "integer" },
    numeric: { type: "decimal(12,2)", kind: "numeric", precision: 12, scale: 2 },
    float: { type: "double", kind: "float" },
    boolean: { type: "tinyint(1)", kind: "boolean" },
    string: { type: "varchar(40)", kind: "text", length: 40 },
    text: { type: "longtext", kind: "text" },
    bytes: { type: "varbinary(255)", kind: "bytes", length: 255 },
    bits: { type: "bit(8)", kind: "bits", length: 8 },
    json: { type: "json", kind: "json" },
    date: { type: "date", kind: "date" },
    time: { type: "time(6)", kind: "time", precision: 6 },
    timestamp: { type: "datetime(6)", kind: "timestamp", precision: 6 },
    timestamptz: { type: "timestamp(6)", kind: "timestamptz", precision: 6 },
  },
  quote: (name) => `\`${name.replaceAll("`", "``")}\``,
  printed: (column, type) =>
    type === "bytes"
      ? `hex(${column})`
      : type === "bits"
        ? `lpad(conv(${column} + 0, 10, 2), 8, '0')`
        : `cast(${column} as char)`,
};

/** The dialect of each engine. */
export const dialects: Readonly<Record<Engine, Dialect>> = { postgres, mysql };
