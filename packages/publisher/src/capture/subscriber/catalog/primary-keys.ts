import { type ColumnKind, type Engine, type RowNote, type RunStatement, tableId } from "@lockstep/core";
import type { KeyColumn } from "../key-text.js";

/**
 * Primary keys of tables that aren't captured and that foreign keys lead through, by table id. Their texts stay inside the process. Tables
 * without one are left out.
 */
export async function primaryKeys(
  engine: Engine,
  run: RunStatement,
  tables: readonly RowNote["table"][],
): Promise<ReadonlyMap<string, readonly KeyColumn[]>> {
  if (tables.length === 0) return new Map();
  const rows = await (engine === "postgres" ? inPostgres(run, tables) : inMysql(run, tables));
  const keys = new Map<string, KeyColumn[]>();
  for (const row of rows) {
    const id = tableId({ namespace: String(row["namespace"]), name: String(row["name"]) });
    const [name, type] = [String(row["col"]), String(row["type"])];
    const kind = engine === "postgres" ? postgresKind(type) : mysqlKind(type);
    keys.set(id, [...(keys.get(id) ?? []), { name, type, kind }]);
  }
  return keys;
}

function inPostgres(run: RunStatement, tables: readonly RowNote["table"][]) {
  return run(
    `SELECT n.nspname AS namespace, c.relname AS name, a.attname AS col, format_type(a.atttypid, a.atttypmod) AS type
       FROM unnest($1::text[], $2::text[]) AS q(namespace, name)
       JOIN pg_catalog.pg_namespace n ON n.nspname = q.namespace
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = q.name
       JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
       CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
       JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
      WHERE k.place <= i.indnkeyatts ORDER BY c.oid, k.place`,
    [tables.map(({ namespace }) => namespace), tables.map(({ name }) => name)],
  );
}

function inMysql(run: RunStatement, tables: readonly RowNote["table"][]) {
  return run(
    `SELECT s.TABLE_SCHEMA AS namespace, s.TABLE_NAME AS name, s.COLUMN_NAME AS col, c.DATA_TYPE AS type
       FROM information_schema.STATISTICS s
       JOIN information_schema.COLUMNS c
         ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.COLUMN_NAME = s.COLUMN_NAME
      WHERE s.INDEX_NAME = 'PRIMARY' AND (${tables.map(() => "(s.TABLE_SCHEMA = ? AND s.TABLE_NAME = ?)").join(" OR ")})
      ORDER BY s.TABLE_SCHEMA, s.TABLE_NAME, s.SEQ_IN_INDEX`,
    tables.flatMap(({ namespace, name }) => [namespace, name]),
  );
}

// Only the kinds whose text or parameter differs from a plain cast.
function postgresKind(type: string): ColumnKind {
  if (type === "date") return "date";
  if (type.startsWith("timestamp")) return type.endsWith("with time zone") ? "timestamptz" : "timestamp";
  return "other";
}

function mysqlKind(type: string): ColumnKind {
  if (type.endsWith("int")) return "integer";
  if (/binary$|blob$/.test(type)) return "bytes";
  return type === "bit" ? "bits" : "other";
}
