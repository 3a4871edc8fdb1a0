import { startMariaDb, startPostgres } from "@lockstep/testing";
import { createConnection } from "mysql2/promise";
import pg from "pg";

/** One side: a server of its own with the table in it. */
export interface BenchSide extends AsyncDisposable {
  readonly engine: "postgres" | "mysql";
  readonly url: string;
  /** Namespace of the table `orders`. */
  readonly namespace: string;
  run(sql: string): Promise<unknown>;
}

const types = {
  postgres: { uuid: "uuid", moment: "timestamptz", flag: "boolean" },
  mysql: { uuid: "char(36)", moment: "datetime(6)", flag: "tinyint(1)" },
} as const;

const definition = ({ uuid, moment, flag }: (typeof types)[keyof typeof types]): string =>
  `create table orders (id bigint primary key, customer_id bigint, status varchar(20), total decimal(12,2), currency varchar(3), placed_at ${moment},
 updated_at ${moment}, note text, email varchar(120), paid ${flag}, items int, ref ${uuid})`;

/** Row `i`, about 300 bytes, the same on every engine. */
function rowOf(i: number, moment: (text: string) => string): string {
  const at = new Date(1_760_000_000_000 + i * 1_000)
    .toISOString()
    .replace("T", " ")
    .replace("Z", `${i % 1000}`.padStart(3, "0"));
  const ref = `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`;
  const note = `${"please ring twice and leave it with the neighbours ".repeat(3)}${i}`;
  return `(${i}, ${i % 997}, '${["new", "paid", "shipped"][i % 3]}', ${(i % 100_000) / 100}, 'EUR', ${moment(at)}, ${moment(at)}, '${note}', 'customer${i}@example.com', ${i % 2 === 0}, ${i % 7}, '${ref}')`;
}

const rowsPerInsert = 1_000;

async function fill(side: Omit<BenchSide, typeof Symbol.asyncDispose>, rows: number): Promise<void> {
  await side.run(definition(types[side.engine]));
  const moment = (text: string): string => (side.engine === "postgres" ? `'${text}+00'` : `'${text}'`);
  for (let i = 1; i <= rows; i += rowsPerInsert) {
    const values = Array.from({ length: Math.min(rowsPerInsert, rows - i + 1) }, (_, n) =>
      rowOf(i + n, moment),
    );
    await side.run(`insert into orders values ${values.join(", ")}`);
  }
  await side.run(side.engine === "postgres" ? "vacuum analyze orders" : "analyze table orders");
}

/** A server with `rows` rows. */
export async function openBenchSide(engine: BenchSide["engine"], rows: number): Promise<BenchSide> {
  const server = await (engine === "postgres" ? startPostgres() : startMariaDb());
  const opened = await (engine === "postgres" ? openPostgres(server.url) : openMysql(server.url));
  await fill({ engine, ...opened }, rows);
  return {
    engine,
    ...opened,
    async [Symbol.asyncDispose]() {
      await opened.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function openPostgres(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return { url, namespace: "public", run: (sql: string) => client.query(sql), close: () => client.end() };
}

async function openMysql(server: string) {
  const connection = await createConnection({ uri: server, multipleStatements: true });
  await connection.query("CREATE DATABASE IF NOT EXISTS bench CHARACTER SET utf8mb4; USE bench");
  const url = new URL(server);
  url.pathname = "/bench";
  return {
    url: url.href,
    namespace: "bench",
    run: (sql: string) => connection.query(sql),
    close: () => connection.end(),
  };
}
