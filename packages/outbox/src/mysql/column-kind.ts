import type { ColumnKind } from "@lockstep/core";

const kinds: Readonly<Record<string, ColumnKind>> = {
  tinyint: "integer",
  smallint: "integer",
  mediumint: "integer",
  int: "integer",
  bigint: "integer",
  year: "integer",
  decimal: "numeric",
  float: "float",
  double: "float",
  char: "text",
  varchar: "text",
  tinytext: "text",
  text: "text",
  mediumtext: "text",
  longtext: "text",
  set: "text",
  enum: "enum",
  binary: "bytes",
  varbinary: "bytes",
  tinyblob: "bytes",
  blob: "bytes",
  mediumblob: "bytes",
  longblob: "bytes",
  bit: "bits",
  uuid: "uuid",
  json: "json",
  date: "date",
  time: "time",
  datetime: "timestamp",
  timestamp: "timestamptz",
};

const spatial = new Set([
  "geometry",
  "point",
  "linestring",
  "polygon",
  "multipoint",
  "multilinestring",
  "multipolygon",
  "geometrycollection",
  "geomcollection",
]);

/** What a MySQL or MariaDB column means. `type` is its full text; `checkedJson` says that a CHECK makes a MariaDB longtext JSON. */
export function mysqlColumnKind(base: string, type: string, checkedJson: boolean): ColumnKind {
  if (checkedJson) return "json";
  if (type.startsWith("tinyint(1)")) return "boolean";
  // Spatial values travel in their internal form, which is also what a column takes.
  if (spatial.has(base)) return "bytes";
  return Object.hasOwn(kinds, base) ? kinds[base]! : "other";
}
