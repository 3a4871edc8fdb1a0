import { fingerprintOf, type RowImage, type TableSchema } from "../../src/index.js";

const columns = [
  { name: "id", type: "bigint", kind: "integer", nullable: false },
  { name: "email", type: "text", kind: "text", nullable: true },
  { name: "total", type: "numeric(12,2)", kind: "numeric", nullable: false, precision: 12, scale: 2 },
  { name: "open", type: "boolean", kind: "boolean", nullable: false },
  { name: "at", type: "timestamp with time zone", kind: "timestamptz", nullable: true },
  { name: "data", type: "bytea", kind: "bytes", nullable: true },
] as const;

/** orders(id, email, total, open, at, data) of PostgreSQL. */
export const orders: TableSchema = schemaOf("orders");

export function schemaOf(name: string, changes: Partial<TableSchema> = {}): TableSchema {
  const schema = { engine: "postgres" as const, namespace: "public", name, columns, key: ["id"], ...changes };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

/** An open order. */
export const image: RowImage = [
  "9007199254740993",
  "a@x",
  "10.50",
  "true",
  "2026-01-02 03:04:05.6+00",
  "\\x00ff",
];
