import type { ColumnKind } from "@lockstep/core";

const kinds: Readonly<Record<string, ColumnKind>> = {
  bool: "boolean",
  int2: "integer",
  int4: "integer",
  int8: "integer",
  numeric: "numeric",
  float4: "float",
  float8: "float",
  text: "text",
  varchar: "text",
  bpchar: "text",
  citext: "text",
  name: "text",
  bytea: "bytes",
  bit: "bits",
  varbit: "bits",
  uuid: "uuid",
  json: "json",
  jsonb: "json",
  date: "date",
  time: "time",
  timestamp: "timestamp",
  timestamptz: "timestamptz",
};

/** What a PostgreSQL type means. `base` is the name of the type behind all domains, empty when it is not a type of `pg_catalog` (or citext). */
export function postgresColumnKind(base: string, isEnum: boolean): ColumnKind {
  if (isEnum) return "enum";
  return Object.hasOwn(kinds, base) ? kinds[base]! : "other";
}

/** Length, precision and scale as the type modifier holds them. */
export function postgresTypeSize(
  base: string,
  typmod: number,
): { readonly length?: number; readonly precision?: number; readonly scale?: number } {
  switch (base) {
    case "varchar":
    case "bpchar":
      return typmod < 4 ? {} : { length: typmod - 4 };
    case "bit":
    case "varbit":
      return typmod < 0 ? {} : { length: typmod };
    case "numeric":
      return typmod < 4 ? {} : numericSize(typmod - 4);
    case "time":
    case "timestamp":
    case "timestamptz":
      return { precision: typmod < 0 ? 6 : typmod };
    default:
      return {};
  }
}

// Precision in the upper half; scale in the lower eleven bits, signed since PostgreSQL 15.
function numericSize(packed: number): { precision: number; scale: number } {
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
}
