import type { BulkLayout } from "@lockstep/core";
import type { PostgresTable, WrittenColumn } from "../tables/postgres-table.js";

/** Types whose binary form is the same on every server, without the oids of types that one of them made. */
const binaryTypes = new Set([
  "boolean",
  "smallint",
  "integer",
  "bigint",
  "real",
  "double precision",
  "numeric",
  "text",
  "character varying",
  "bpchar",
  "bytea",
  "bit",
  "bit varying",
  "date",
  "time without time zone",
  "time with time zone",
  "timestamp without time zone",
  "timestamp with time zone",
  "interval",
  "uuid",
  "json",
  "jsonb",
  "inet",
  "cidr",
  "macaddr",
]);

/**
 * Binary where each column has the very type of the source's, length and precision included: nothing is converted then, so nothing can be changed.
 * `undefined` for what COPY can't write, and for a table that refers to itself: the rows of one range may refer to those of another.
 */
export function bulkLayout(table: PostgresTable): BulkLayout | undefined {
  if (!table.catalog.copyable || table.selfReferencing) return undefined;
  if (!table.columns.every((column) => isBinary(table, column))) return { format: "text" };
  return { format: "binary", columns: table.columns.map(({ name }) => name) };
}

function isBinary({ schema }: PostgresTable, { at, catalog: { type, castType } }: WrittenColumn): boolean {
  const same = schema.engine === "postgres" && schema.columns[at]!.type === type;
  return same && binaryTypes.has(castType.replace(/\[\]$/, ""));
}

/** Whether lines of images can go to the table as they are: all columns, in their order, in texts that need no look. */
export function takesLines({ schema, columns }: PostgresTable): boolean {
  return (
    columns.length === schema.columns.length &&
    columns.every(({ at, convert, keeps }, i) => at === i && convert === undefined && keeps === undefined)
  );
}
