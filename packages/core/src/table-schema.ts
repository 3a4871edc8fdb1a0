import { createHash } from "node:crypto";

/** The database families whose text forms Lockstep knows. `mysql` stands for MySQL and MariaDB. */
export type Engine = "postgres" | "mysql";

/**
 * What a column means, whatever the engine calls it. Conversions between engines are chosen by kind (`value/`);
 * inside one engine the text travels untouched. `other` has no conversion: it arrives as the text the source prints.
 */
export type ColumnKind =
  | "boolean"
  | "integer"
  | "numeric"
  | "float"
  | "text"
  | "bytes"
  | "bits"
  | "uuid"
  | "json"
  | "enum"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz"
  | "other";

/** Kinds of whose texts nothing has to be escaped, and no two are the same to any collation: digits, signs, names in one case. */
export const plainTextKinds: ReadonlySet<ColumnKind> = new Set<ColumnKind>([
  "boolean",
  "integer",
  "numeric",
  "float",
  "bytes",
  "bits",
  "uuid",
  "date",
  "time",
  "timestamp",
  "timestamptz",
]);

/** One column as the source's catalog describes it. */
export interface ColumnSchema {
  readonly name: string;
  /** The engine's own full type text, e.g. `numeric(12,2)`, `character varying(40)`, `bigint unsigned`. */
  readonly type: string;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
  /** Characters (text) or bytes (bytes); absent when unbounded. */
  readonly length?: number;
  /** Digits of a numeric; fractional seconds digits of a time kind. Absent when unbounded. */
  readonly precision?: number;
  readonly scale?: number;
  /** True when the database computes the column (GENERATED ALWAYS AS); it is captured, but an external target that generates it too is not written. */
  readonly generated?: boolean;
}

/** A table at one moment of its history. Row images are arrays in the order of `columns`. */
export interface TableSchema {
  readonly engine: Engine;
  /** Schema (PostgreSQL) or database (MySQL) the table lives in at the source. */
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly ColumnSchema[];
  /** Column names of the primary key, in key order. Never empty. */
  readonly key: readonly string[];
  /** Identifies this schema: hash of everything above. Equal text means equal schema. */
  readonly fingerprint: string;
}

/** The fingerprint of a schema: 16 hex digits of a sha256 over its canonical JSON. */
export function fingerprintOf(schema: Omit<TableSchema, "fingerprint">): string {
  const canonical = JSON.stringify([
    schema.engine,
    schema.namespace,
    schema.name,
    schema.columns.map((c) => [c.name, c.type, c.kind, c.nullable, c.generated ?? false]),
    schema.key,
  ]);
  return createHash("sha256").update(canonical).digest("hex").slice(0, 16);
}

/** `namespace.name`: how a table is named in status, letters, logs and configuration. */
export function tableId(table: { readonly namespace: string; readonly name: string }): string {
  return `${table.namespace}.${table.name}`;
}
