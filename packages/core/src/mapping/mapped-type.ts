import type { ColumnSchema, Engine } from "../table-schema.js";
import type { FixedColumn, MappedType } from "./table-mapping.js";

type ColumnType = Omit<ColumnSchema, "name" | "nullable">;
type Base =
  "text" | "integer" | "numeric" | "float" | "boolean" | "bytes" | "uuid" | "json" | "date" | "time";

/** Everything a {@link MappedType} can be. */
export const mappedTypePattern =
  /^(text(\([1-9]\d{0,4}\))?|numeric(\([1-9]\d?,\d{1,2}\))?|integer|float|boolean|bytes|uuid|json|date|time|timestamp|timestamptz)$/;

const times = { precision: 6 } as const;

const plain: Readonly<Record<Engine, Readonly<Record<Base | "timestamp" | "timestamptz", ColumnType>>>> = {
  postgres: {
    text: { type: "text", kind: "text" },
    integer: { type: "bigint", kind: "integer" },
    numeric: { type: "numeric", kind: "numeric" },
    float: { type: "double precision", kind: "float" },
    boolean: { type: "boolean", kind: "boolean" },
    bytes: { type: "bytea", kind: "bytes" },
    uuid: { type: "uuid", kind: "uuid" },
    json: { type: "jsonb", kind: "json" },
    date: { type: "date", kind: "date" },
    time: { type: "time(6) without time zone", kind: "time", ...times },
    timestamp: { type: "timestamp(6) without time zone", kind: "timestamp", ...times },
    timestamptz: { type: "timestamp(6) with time zone", kind: "timestamptz", ...times },
  },
  mysql: {
    text: { type: "longtext", kind: "text" },
    integer: { type: "bigint(20)", kind: "integer" },
    numeric: { type: "decimal(65,30)", kind: "numeric", precision: 65, scale: 30 },
    float: { type: "double", kind: "float" },
    boolean: { type: "tinyint(1)", kind: "boolean" },
    bytes: { type: "longblob", kind: "bytes" },
    uuid: { type: "char(36)", kind: "text", length: 36 },
    json: { type: "json", kind: "json" },
    date: { type: "date", kind: "date" },
    time: { type: "time(6)", kind: "time", ...times },
    timestamp: { type: "datetime(6)", kind: "timestamp", ...times },
    timestamptz: { type: "timestamp(6)", kind: "timestamptz", ...times },
  },
};

/** The type as a column of the source's engine has it, so that everything behind a mapping sees one kind of schema. */
export function columnOfType(engine: Engine, type: MappedType): ColumnType {
  const [base, ...numbers] = type.split(/[(),]/).filter((part) => part !== "");
  const sizes = numbers.map(Number);
  if (base === "text" && sizes.length === 1) return textOf(engine, sizes[0]!);
  if (base === "numeric" && sizes.length === 2) return numericOf(engine, sizes[0]!, sizes[1]!);
  return plain[engine][base as Base];
}

/** The type of a fixed column that doesn't name one. */
export function typeOfFixed({ fixed, type }: FixedColumn): MappedType {
  if (type !== undefined) return type;
  switch (typeof fixed) {
    case "bigint":
      return "integer";
    case "number":
      return Number.isInteger(fixed) ? "integer" : "float";
    case "boolean":
      return "boolean";
    case "string":
      return "text(255)";
    default:
      return fixed === null ? "text" : "bytes";
  }
}

function textOf(engine: Engine, length: number): ColumnType {
  const type = engine === "postgres" ? `character varying(${length})` : `varchar(${length})`;
  return { type, kind: "text", length };
}

function numericOf(engine: Engine, precision: number, scale: number): ColumnType {
  const name = engine === "postgres" ? "numeric" : "decimal";
  return { type: `${name}(${precision},${scale})`, kind: "numeric", precision, scale };
}
