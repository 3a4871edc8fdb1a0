import type { Row, Session } from "../session/session.js";
import { readForeignKeys, type ForeignKey } from "./foreign-keys.js";

/** A column of the target as its catalog describes it. */
export interface TargetColumn {
  readonly name: string;
  /** Base type in lower case: `bigint`, `datetime`. */
  readonly type: string;
  /** Full type: `bigint(20) unsigned`, `enum('a','b')`. */
  readonly fullType: string;
  readonly nullable: boolean;
  readonly generated: boolean;
  /** Characters (text) or bytes (binary). */
  readonly length?: number;
  readonly precision?: number;
  readonly scale?: number;
  /** Digits of fractional seconds. */
  readonly fraction?: number;
  readonly collation?: string;
}

/** A unique key beside the primary key. */
export interface UniqueKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** True when it covers only the start of a column. */
  readonly prefix: boolean;
}

/** A table of the target. */
export interface CatalogTable {
  readonly schema: string;
  readonly name: string;
  readonly engine: string;
  /** By name in lower case: MySQL's column names are case-insensitive. */
  readonly columns: ReadonlyMap<string, TargetColumn>;
  readonly key: readonly string[];
  /** True when the primary key covers only the start of a column: two keys may then be the same for it. */
  readonly keyIsPrefix: boolean;
  readonly uniques: readonly UniqueKey[];
  /** Foreign keys of this table. */
  readonly outbound: readonly ForeignKey[];
  /** Foreign keys of any table that point here, this one included. */
  readonly inbound: readonly ForeignKey[];
}

/** Describes the tables of a schema that exist, by name. */
export async function readCatalog(
  session: Session,
  schema: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, CatalogTable>> {
  if (names.length === 0) return new Map();
  const values = [schema, names] as const;
  const tables = await session.rows(
    "SELECT TABLE_NAME AS name, ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?) AND TABLE_TYPE = 'BASE TABLE'",
    values,
  );
  const columns = await readColumns(session, values);
  const indexes = await readUniqueIndexes(session, values);
  const foreignKeys = await readForeignKeys(session, schema, names);
  return new Map(
    tables.map((row) => {
      const name = row["name"]!;
      const own = indexes.filter((index) => index.table === name);
      const primary = own.find((index) => index.name === "PRIMARY");
      const table: CatalogTable = {
        schema,
        name,
        engine: row["engine"] ?? "",
        columns: new Map(
          columns.filter((c) => c.table === name).map((c) => [c.column.name.toLowerCase(), c.column]),
        ),
        key: primary?.columns ?? [],
        keyIsPrefix: primary?.prefix ?? false,
        uniques: own.filter((index) => index.name !== "PRIMARY"),
        outbound: foreignKeys.filter((key) => key.child.schema === schema && key.child.name === name),
        inbound: foreignKeys.filter((key) => key.parent.schema === schema && key.parent.name === name),
      };
      return [name, table];
    }),
  );
}

async function readColumns(
  session: Session,
  values: readonly [string, readonly string[]],
): Promise<readonly { readonly table: string; readonly column: TargetColumn }[]> {
  const rows = await session.rows(
    `SELECT TABLE_NAME AS t, COLUMN_NAME AS name, LOWER(DATA_TYPE) AS type, COLUMN_TYPE AS fullType, IS_NULLABLE AS nullable,
       COALESCE(GENERATION_EXPRESSION, '') AS expression, CHARACTER_MAXIMUM_LENGTH AS length, NUMERIC_PRECISION AS digits,
       NUMERIC_SCALE AS scale, DATETIME_PRECISION AS fraction, COLLATION_NAME AS collation
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?) ORDER BY TABLE_NAME, ORDINAL_POSITION`,
    values,
  );
  return rows.map((row) => ({ table: row["t"]!, column: columnOf(row) }));
}

function columnOf(row: Row): TargetColumn {
  return {
    name: row["name"]!,
    type: row["type"]!,
    fullType: row["fullType"]!,
    nullable: row["nullable"] === "YES",
    generated: row["expression"] !== "",
    ...optional("length", row["length"]),
    ...optional("precision", row["digits"]),
    ...optional("scale", row["scale"]),
    ...optional("fraction", row["fraction"]),
    ...(row["collation"] ? { collation: row["collation"] } : {}),
  };
}

function optional<K extends string>(
  name: K,
  text: string | null | undefined,
): Partial<Readonly<Record<K, number>>> {
  return text === null || text === undefined
    ? {}
    : ({ [name]: Number(text) } as Partial<Readonly<Record<K, number>>>);
}

async function readUniqueIndexes(
  session: Session,
  values: readonly [string, readonly string[]],
): Promise<readonly (UniqueKey & { readonly table: string })[]> {
  const rows = await session.rows(
    `SELECT TABLE_NAME AS t, INDEX_NAME AS name, COLUMN_NAME AS col, SUB_PART AS part FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?) AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
    values,
  );
  const indexes = new Map<string, { table: string; name: string; columns: string[]; prefix: boolean }>();
  for (const row of rows) {
    const id = JSON.stringify([row["t"], row["name"]]);
    const index = indexes.get(id) ?? { table: row["t"]!, name: row["name"]!, columns: [], prefix: false };
    // An expression (MySQL 8 functional index) has no column.
    if (row["col"]) index.columns.push(row["col"]);
    if (row["part"]) index.prefix = true;
    indexes.set(id, index);
  }
  return [...indexes.values()];
}
