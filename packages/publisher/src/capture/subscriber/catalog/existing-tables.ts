import type { Engine, RowNote, RunStatement } from "@lockstep/core";
import { quoteName } from "../quote.js";

/** A table as an entity names it; without a namespace the session's search path decides. */
export interface TableName {
  readonly namespace?: string;
  readonly name: string;
}

type Table = RowNote["table"];

/** The ordinary tables behind these names, in their order; `undefined` where there is none. */
export async function existingTables(
  engine: Engine,
  run: RunStatement,
  names: readonly TableName[],
): Promise<(Table | undefined)[]> {
  if (names.length === 0) return [];
  return engine === "postgres" ? inPostgres(run, names) : inMysql(run, names);
}

async function inPostgres(run: RunStatement, names: readonly TableName[]): Promise<(Table | undefined)[]> {
  const quoted = names.map(({ namespace, name }) =>
    namespace === undefined
      ? quoteName("postgres", name)
      : `${quoteName("postgres", namespace)}.${quoteName("postgres", name)}`,
  );
  // Resolved as the application's own statements are, not by current_schema(): a schema named like the user comes first in the default path.
  const rows = await run(
    `SELECT q.place, n.nspname AS namespace, c.relname AS name
       FROM unnest($1::text[]) WITH ORDINALITY AS q(quoted, place)
       JOIN pg_catalog.pg_class c ON c.oid = to_regclass(q.quoted) AND c.relkind IN ('r', 'p')
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`,
    [quoted],
  );
  const found = new Map(rows.map((row) => [Number(row["place"]), tableOf(row)]));
  return names.map((_, index) => found.get(index + 1));
}

async function inMysql(run: RunStatement, names: readonly TableName[]): Promise<(Table | undefined)[]> {
  const rows = await run(
    `SELECT TABLE_SCHEMA AS namespace, TABLE_NAME AS name, DATABASE() AS here FROM information_schema.TABLES
      WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND (${names.map(() => "(TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?)").join(" OR ")})`,
    names.flatMap(({ namespace, name }) => [namespace ?? null, name]),
  );
  const here = String(rows[0]?.["here"] ?? "");
  const tables = rows.map(tableOf);
  return names.map(({ namespace = here, name }) => {
    const exact = tables.find((table) => table.namespace === namespace && table.name === name);
    // With lower_case_table_names the catalog has them in lower case.
    return (
      exact ?? tables.find((table) => sameFolded(table.namespace, namespace) && sameFolded(table.name, name))
    );
  });
}

function tableOf(row: Readonly<Record<string, unknown>>): Table {
  return { namespace: String(row["namespace"]), name: String(row["name"]) };
}

function sameFolded(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
