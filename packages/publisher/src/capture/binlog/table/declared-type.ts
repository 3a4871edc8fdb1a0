import { columnType } from "../event/column-type.js";
import { type LoggedColumn, stringBytes } from "../event/table-map.js";
import type { Charsets } from "../value/charsets.js";

const integers: Readonly<Record<number, string>> = {
  [columnType.tiny]: "tinyint",
  [columnType.short]: "smallint",
  [columnType.int24]: "mediumint",
  [columnType.long]: "int",
  [columnType.longlong]: "bigint",
  [columnType.float]: "float",
  [columnType.double]: "double",
};
const times: Readonly<Record<number, string>> = {
  [columnType.datetime2]: "datetime",
  [columnType.timestamp2]: "timestamp",
  [columnType.time2]: "time",
};
const sizes = ["tiny", "", "medium", "long"] as const;
const geometries = [
  "geometry",
  "point",
  "linestring",
  "polygon",
  "multipoint",
  "multilinestring",
  "multipolygon",
  "geometrycollection",
] as const;
const bytesCollation = 63;

/** A column's type as the catalog would print it, as far as the log tells: without display widths and ZEROFILL. Pure. */
export function declaredTypeOf(column: LoggedColumn, charsets: Pick<Charsets, "of">): string {
  const { type, meta, collation } = column;
  const sign = column.unsigned ? " unsigned" : "";
  const charset = collation === bytesCollation ? undefined : charsets.of(collation);
  const characters = (bytes: number): number => bytes / (charset?.maxBytes ?? 1);
  const number = integers[type];
  if (number !== undefined) return number + sign;
  const time = times[type];
  if (time !== undefined) return meta > 0 ? `${time}(${meta})` : time;
  switch (type) {
    case columnType.newDecimal:
      return `decimal(${meta >> 8},${meta & 0xff})${sign}`;
    case columnType.year:
      return "year";
    case columnType.date:
    case columnType.newDate:
      return "date";
    case columnType.bit:
      return `bit(${(meta >> 8) * 8 + (meta & 0xff)})`;
    case columnType.varchar:
    case columnType.varString:
      return charset ? `varchar(${characters(meta)})` : `varbinary(${meta})`;
    case columnType.string: {
      const size = stringBytes(meta);
      return charset ? `char(${characters(size)})` : `binary(${size})`;
    }
    case columnType.blob:
      return `${sizes[meta - 1]}${charset ? "text" : "blob"}`;
    case columnType.geometry:
      return geometries[column.geometry] ?? "geometry";
    case columnType.json:
      return "json";
    case columnType.enum:
      return `enum(${memberList(column)})`;
    case columnType.set:
      return `set(${memberList(column)})`;
    default:
      return `type ${type}`;
  }
}

const memberList = ({ members }: LoggedColumn): string => `${members.length} members`;

/** What the log can't tell is left out of a type that the catalog prints; then both say the same for the same column. Pure. */
export function comparableType(declared: string): string {
  const type = declared
    .toLowerCase()
    .replace(/\s*\/\*.*\*\//, "")
    .replace(" zerofill", "")
    .trim();
  if (type.startsWith("enum(") || type.startsWith("set(")) {
    const members = declared.match(/'(?:[^'\\]|''|\\.)*'/g) ?? [];
    return `${type.slice(0, type.indexOf("("))}(${members.length} members)`;
  }
  switch (type) {
    case "uuid":
    case "inet6":
      return "binary(16)";
    case "inet4":
      return "binary(4)";
    case "geomcollection":
      return "geometrycollection";
    default:
      return type.replace(/^((?:tiny|small|medium|big)?int|float|double|year)\([\d,]+\)/, "$1");
  }
}
