import type { DataSource } from "typeorm";
import { seeds } from "./seeds.js";
import type { SideConnection } from "./side-connection.js";
import type { DriverType } from "./typeorm-versions.js";

/** Every row of every mapped table, by table and key, as the texts that the database prints. */
export type Rows = ReadonlyMap<string, string>;

/** The tables beside capture: put back to how they began, and read. */
export interface Tables {
  /** What they hold after each {@link Tables.reset}. */
  readonly begun: Rows;
  reset(): Promise<void>;
  read(): Promise<Rows>;
}

/** The tables of a DataSource, which exist. */
export async function tablesOf(
  dataSource: DataSource,
  driver: DriverType,
  side: SideConnection,
): Promise<Tables> {
  const quote = (name: string) => (driver === "postgres" ? `"${name}"` : `\`${name}\``);
  const mapped = new Map(
    dataSource.entityMetadatas
      .filter(({ tableType, synchronize }) => tableType !== "view" && synchronize)
      .map((metadata) => {
        const { tableName, schema, primaryColumns } = metadata;
        const path = schema === undefined ? quote(tableName) : `${quote(schema)}.${quote(tableName)}`;
        return [tableName, { path, keys: primaryColumns.map(({ databaseName }) => databaseName) }];
      }),
  );
  const reset = resetStatement(
    driver,
    quote,
    (table) => mapped.get(table)!.path,
    [...mapped.values()].map(({ path }) => path),
  );
  const parts: string[] = [];
  for (const [name, { path, keys }] of mapped) {
    parts.push(readStatement(driver, quote, name, path, keys, await columnsOf(driver, side, name)));
  }
  const statement = parts.join(" UNION ALL ");
  const read = async (): Promise<Rows> =>
    new Map(
      (await side.run(statement)).map((text) => {
        const [table, key, cells] = JSON.parse(text) as [string, string[], object];
        return [rowId(table, key), JSON.stringify(cells)];
      }),
    );
  await side.run(reset);
  return { begun: await read(), reset: async () => void (await side.run(reset)), read };
}

/** How a row is named in {@link Rows}. */
export function rowId(table: string, key: readonly string[]): string {
  return `${table} ${JSON.stringify(key)}`;
}

type Quote = (name: string) => string;

function resetStatement(driver: DriverType, quote: Quote, pathOf: Quote, paths: readonly string[]): string {
  const literal = (value: string | number | null) =>
    typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
  const statements = [
    ...paths.map((path) => `DELETE FROM ${path}`),
    ...seeds.map(([table, columns, rows]) => {
      const tuples = rows.map((row) => `(${row.map(literal).join(", ")})`);
      return `INSERT INTO ${pathOf(table)} (${columns.map(quote).join(", ")}) VALUES ${tuples.join(", ")}`;
    }),
  ];
  // Foreign keys and triggers rest meanwhile.
  return driver === "postgres"
    ? ["BEGIN", "SET LOCAL session_replication_role = replica", ...statements, "COMMIT"].join("; ")
    : ["SET foreign_key_checks = 0", "START TRANSACTION", ...statements, "COMMIT"].join("; ");
}

function readStatement(
  driver: DriverType,
  quote: Quote,
  table: string,
  path: string,
  keys: readonly string[],
  columns: readonly string[],
): string {
  const text = (column: string) =>
    driver === "postgres" ? `${quote(column)}::text` : `CAST(${quote(column)} AS CHAR)`;
  const array = driver === "postgres" ? "json_build_array" : "JSON_ARRAY";
  const row = `${array}('${table}', ${array}(${keys.map(text).join(", ")}), ${array}(${columns.map(text).join(", ")}))`;
  return driver === "postgres"
    ? `SELECT ${row}::text FROM ${path}`
    : `SELECT CONCAT(${row}, '') FROM ${path}`;
}

function columnsOf(driver: DriverType, side: SideConnection, table: string): Promise<string[]> {
  return side.run(
    driver === "postgres"
      ? `SELECT column_name FROM information_schema.columns WHERE table_name = '${table}' AND table_schema IN ('public', 'other') ORDER BY ordinal_position`
      : `SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}' ORDER BY ORDINAL_POSITION`,
  );
}
