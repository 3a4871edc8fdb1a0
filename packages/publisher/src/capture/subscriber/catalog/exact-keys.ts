import { type Engine, type RowNote, type RunStatement, tableId } from "@lockstep/core";

/** How far a table's primary key can be trusted. */
export interface KeyFacts {
  /** Columns of whose values the database takes no two for the same: what is equal is equal as a text. */
  readonly exact: ReadonlySet<string>;
  /** PostgreSQL: INSERT … RETURNING can't say which rows were updated. */
  readonly partitioned: boolean;
}

/** Facts about the primary keys of these tables, by table id. */
export async function keyFacts(
  engine: Engine,
  run: RunStatement,
  tables: readonly RowNote["table"][],
): Promise<ReadonlyMap<string, KeyFacts>> {
  const rows = await (engine === "postgres" ? inPostgres(run, tables) : inMysql(run, tables));
  const facts = new Map<string, { exact: Set<string>; partitioned: boolean }>();
  for (const row of rows) {
    const id = tableId({ namespace: String(row["namespace"]), name: String(row["name"]) });
    const table = facts.get(id) ?? {
      exact: new Set<string>(),
      partitioned: Number(row["partitioned"]) === 1,
    };
    if (Number(row["exact"]) === 1) table.exact.add(String(row["col"]));
    facts.set(id, table);
  }
  return facts;
}

// Types whose equality is that of their text; not numeric (1.0 = 1.00), float (-0), interval, citext.
const exactPostgres =
  "'bool', 'int2', 'int4', 'int8', 'uuid', 'date', 'time', 'timestamp', 'timestamptz', 'bytea', 'text', 'varchar', 'bpchar'";

function inPostgres(run: RunStatement, tables: readonly RowNote["table"][]) {
  return run(
    `SELECT n.nspname AS namespace, c.relname AS name, a.attname AS col, (c.relkind = 'p')::int AS partitioned,
            (coalesce(l.collisdeterministic, true)
             AND (t.typtype = 'e' OR t.typnamespace = 'pg_catalog'::regnamespace AND t.typname IN (${exactPostgres})))::int AS exact
       FROM unnest($1::text[], $2::text[]) AS q(namespace, name)
       JOIN pg_catalog.pg_namespace n ON n.nspname = q.namespace
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = q.name
       JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
       JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
       JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation`,
    [tables.map(({ namespace }) => namespace), tables.map(({ name }) => name)],
  );
}

function inMysql(run: RunStatement, tables: readonly RowNote["table"][]) {
  return run(
    `SELECT TABLE_SCHEMA AS namespace, TABLE_NAME AS name, COLUMN_NAME AS col, 0 AS partitioned,
            DATA_TYPE NOT IN ('float', 'double')
            AND (COLLATION_NAME IS NULL OR COLLATION_NAME = 'utf8mb4_0900_bin' OR COLLATION_NAME LIKE '%nopad\\\\_bin') AS exact
       FROM information_schema.COLUMNS
      WHERE COLUMN_KEY = 'PRI' AND (${tables.map(() => "(TABLE_SCHEMA = ? AND TABLE_NAME = ?)").join(" OR ")})`,
    tables.flatMap(({ namespace, name }) => [namespace, name]),
  );
}
