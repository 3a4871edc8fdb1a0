import { type RowNote, type RunStatement, tableId } from "@lockstep/core";

/** What identifies a row on MySQL and MariaDB where the server doesn't return keys. */
export interface MysqlTableFacts {
  /** Columns of each UNIQUE index, the primary key included. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly autoIncrement?: string;
  /** Distance between two ids of one INSERT. */
  readonly incrementBy: number;
}

/** Reads unique indexes and auto-increment columns, by table id. */
export async function mysqlTableFacts(
  run: RunStatement,
  tables: readonly RowNote["table"][],
): Promise<ReadonlyMap<string, MysqlTableFacts>> {
  const these = `(${tables.map(() => "(TABLE_SCHEMA = ? AND TABLE_NAME = ?)").join(" OR ")})`;
  const names = tables.flatMap(({ namespace, name }) => [namespace, name]);
  const indexed = await run(
    `SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS id, INDEX_NAME AS name, COLUMN_NAME AS col
       FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND ${these}
      ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
    names,
  );
  const counted = await run(
    `SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS id, COLUMN_NAME AS col
       FROM information_schema.COLUMNS WHERE EXTRA LIKE '%auto_increment%' AND ${these}`,
    names,
  );
  const [session] = await run("SELECT @@auto_increment_increment AS step");
  const incrementBy = Number(session?.["step"] ?? 1);
  const autoIncrement = new Map(counted.map((row) => [String(row["id"]), String(row["col"])]));
  return new Map(
    tables.map((table) => {
      const id = tableId(table);
      const column = autoIncrement.get(id);
      const uniqueKeys = indexesOf(indexed.filter((row) => row["id"] === id));
      return [id, { uniqueKeys, incrementBy, ...(column !== undefined && { autoIncrement: column }) }];
    }),
  );
}

function indexesOf(rows: readonly Record<string, unknown>[]): string[][] {
  const indexes = new Map<unknown, string[]>();
  for (const { name, col } of rows) indexes.set(name, [...(indexes.get(name) ?? []), String(col)]);
  return [...indexes.values()];
}
