import mysql from "mysql2/promise";
import pg from "pg";

/** A connection beside the application: what it reads and writes is nobody's business but the judge's. */
export interface SideConnection {
  /** Sends one message, which may hold several statements; gives the first column of the last one's rows. */
  run(sql: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Opens one. */
export function openSide(url: string): Promise<SideConnection> {
  return url.startsWith("postgres") ? postgresSide(url) : mysqlSide(url);
}

async function postgresSide(url: string): Promise<SideConnection> {
  const client = new pg.Client({ connectionString: url, options: "-c TimeZone=UTC" });
  await client.connect();
  return {
    async run(sql) {
      const results = await client.query<string[]>({ text: sql, rowMode: "array" });
      // Several statements give a list of results, which the types don't say.
      const last = [results].flat().at(-1);
      return last?.rows.map((row) => row[0]!) ?? [];
    },
    close: () => client.end(),
  };
}

async function mysqlSide(url: string): Promise<SideConnection> {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true, charset: "utf8mb4" });
  await connection.query("SET time_zone = '+00:00'");
  return {
    async run(sql) {
      const [rows] = await connection.query<mysql.RowDataPacket[]>({ sql, rowsAsArray: true });
      return Array.isArray(rows) ? rows.flatMap((row) => (Array.isArray(row) ? [String(row[0])] : [])) : [];
    },
    close: () => connection.end(),
  };
}
