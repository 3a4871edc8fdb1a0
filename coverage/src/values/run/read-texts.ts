import type { Engine } from "@lockstep/core";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import pg from "pg";

/** A value's text by row id; `null` is SQL's NULL. */
export type Texts = ReadonlyMap<string, string | null>;

/** Reads columns in the text form of the database itself, in a session of its own. */
export interface TextReader extends AsyncDisposable {
  readonly engine: Engine;
  /** The column `v` of a table by its `id`; `undefined` when there is no such table. */
  texts(table: string): Promise<Texts | undefined>;
  /** What the column is declared as. */
  typeOf(table: string): Promise<string>;
}

/** A reader of the database at `url`. */
export function openTextReader(url: string): Promise<TextReader> {
  return url.startsWith("postgres") ? openPostgres(url) : openMysql(url);
}

async function openPostgres(url: string): Promise<TextReader> {
  const client = new pg.Client({
    connectionString: url,
    options:
      "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1 -c lc_monetary=C -c search_path=pg_catalog",
    // Values as the types' own output functions print them.
    types: { getTypeParser: () => (text: string) => text },
  });
  client.on("error", () => undefined);
  await client.connect();
  const rows = async (sql: string): Promise<readonly (string | null)[][]> =>
    (await client.query<(string | null)[]>({ text: sql, rowMode: "array" })).rows;
  const typeOf = async (table: string): Promise<string | undefined> => {
    const [row] = await rows(
      `select format_type(atttypid, atttypmod) from pg_attribute where attrelid = to_regclass('public.${table}') and attname = 'v'`,
    );
    return row?.[0] ?? undefined;
  };
  return {
    engine: "postgres",
    typeOf: async (table) => (await typeOf(table)) ?? "no table",
    texts: async (table) =>
      (await typeOf(table)) === undefined
        ? undefined
        : textsOf(await rows(`select id, v from public.${table}`)),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

async function openMysql(url: string): Promise<TextReader> {
  const connection = await createConnection({
    uri: url,
    charset: "utf8mb4",
    rowsAsArray: true,
    typeCast: (field) => field.string(),
  });
  await connection.query("SET time_zone = '+00:00'");
  const rows = async (sql: string): Promise<readonly (string | null)[][]> =>
    (await connection.query<(string | null)[][] & RowDataPacket[][]>(sql))[0];
  const column = async (table: string): Promise<readonly (string | null)[] | undefined> => {
    const wanted = `table_schema = DATABASE() AND table_name = '${table}' AND column_name = 'v'`;
    return (
      await rows(
        `SELECT column_type, data_type, numeric_precision FROM information_schema.columns WHERE ${wanted}`,
      )
    )[0];
  };
  return {
    engine: "mysql",
    typeOf: async (table) => (await column(table))?.[0] ?? "no table",
    async texts(table) {
      const found = await column(table);
      if (found === undefined) return undefined;
      return textsOf(await rows(`SELECT id, ${printed(found[1]!, found[2]!)} FROM ${table}`));
    },
    [Symbol.asyncDispose]: () => connection.end(),
  };
}

const bytes = /binary|blob|geometry|point|linestring|polygon|collection/;

function printed(type: string, precision: string | null): string {
  if (bytes.test(type)) return "HEX(v)";
  if (type === "bit") return `LPAD(BIN(v), ${precision}, '0')`;
  // A FLOAT is printed with six digits; two different ones would look the same.
  return type === "float" ? "CAST(v AS DOUBLE)" : "v";
}

function textsOf(rows: readonly (string | null)[][]): Texts {
  return new Map(rows.map(([id, text]) => [id!, text ?? null]));
}
