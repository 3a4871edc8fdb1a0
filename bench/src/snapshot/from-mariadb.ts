import { spawn } from "node:child_process";
import { once } from "node:events";
import { silentLogger, type RunStatement } from "@lockstep/core";
import { startService } from "@lockstep/example-shop";
import { mysqlOutboxWriter } from "@lockstep/outbox";
import { captureOf, sourceOfUrl } from "@lockstep/publisher/capture";
import { type RunningServer, startMariaDb } from "@lockstep/testing";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { type Spread, spreadOf } from "../spread.js";
import { database } from "./database.js";
import { fullSync } from "./full-sync.js";

/** The same table from MariaDB. */
export interface MariaDbResult {
  readonly toPostgres: {
    readonly rowsPerSecond: Spread;
    /** By `pgloader`, which makes the table too; `null` where it isn't installed. */
    readonly pgloaderRowsPerSecond: Spread | null;
    readonly ratioToPgloader: Spread | null;
  };
  readonly toMariaDb: { readonly rowsPerSecond: Spread };
}

const settings = { "innodb-flush-log-at-trx-commit": "1", "innodb-buffer-pool-size": "512M" };

const table = `CREATE TABLE item (id int PRIMARY KEY, name varchar(60), pad varchar(200), amount decimal(12,2), at datetime,
  ok tinyint(1), n1 int, n2 bigint, a varchar(20), b varchar(20), c varchar(20), d text)`;

/** A table of 12 columns copied from MariaDB, captured by triggers, to an empty PostgreSQL and to an empty MariaDB; and by pgloader. */
export async function benchFromMariaDb(
  { rounds, rows }: { readonly rounds: number; readonly rows: number },
  { postgres, redis }: { readonly postgres: RunningServer; readonly redis: RunningServer },
  say: (line: string) => void,
): Promise<MariaDbResult> {
  const servers = [await startMariaDb({ settings }), await startMariaDb({ settings })] as const;
  const [source, other] = servers;
  try {
    await using shop = await connect(source.url);
    await fill(shop, source.url, rows);
    const sources = { stock: { url: source.url, capture: "trigger" } };
    const common = { redis: redis.url, sources, logLevel: "warn" };
    await using _relay = await startService("@lockstep/relay", common);
    const sync = (name: string, target: object): Promise<number> =>
      fullSync({ ...common, targets: { [name]: { ...target, schema: "managed" } } }, name, {
        isRegistered: async () =>
          (await shop.run("SELECT 1 FROM lockstep_target WHERE name = ?", [name])).length === 1,
        forget: () => shop.run("DELETE FROM lockstep_target WHERE name = ?", [name]),
      });
    const speeds = { postgres: [] as number[], mariadb: [] as number[], pgloader: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const loader = await pgloader(source.url, await database(postgres, `pgloaded_${round}`));
      const toPostgres = await sync(`stock_${round}`, {
        type: "postgres",
        url: await database(postgres, `stock_${round}`),
      });
      const toMariaDb = await sync(`other_${round}`, {
        type: "mysql",
        url: await freshDatabase(other, `other_${round}`),
      });
      if (loader !== undefined) speeds.pgloader.push(rows / loader);
      speeds.postgres.push(rows / toPostgres);
      speeds.mariadb.push(rows / toMariaDb);
      say(
        `round ${round + 1}: from MariaDB to PostgreSQL ${toPostgres.toFixed(1)} s, pgloader ${loader?.toFixed(1) ?? "not installed"} s, ` +
          `to MariaDB ${toMariaDb.toFixed(1)} s`,
      );
    }
    const hasLoader = speeds.pgloader.length === rounds;
    return {
      toPostgres: {
        rowsPerSecond: spreadOf(speeds.postgres),
        pgloaderRowsPerSecond: hasLoader ? spreadOf(speeds.pgloader) : null,
        ratioToPgloader: hasLoader
          ? spreadOf(speeds.postgres.map((speed, i) => speed / speeds.pgloader[i]!))
          : null,
      },
      toMariaDb: { rowsPerSecond: spreadOf(speeds.mariadb) },
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Seconds that pgloader takes for a database that holds the table alone; `undefined` where it isn't installed. */
async function pgloader(from: string, to: string): Promise<number | undefined> {
  const plain = new URL(from);
  plain.pathname = "/plain";
  const into = to.replace(/^postgres:/, "postgresql:");
  const began = performance.now();
  const child = spawn("pgloader", ["--quiet", plain.href, into], { stdio: "ignore" });
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0) throw new Error("pgloader failed");
    return (performance.now() - began) / 1000;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function fill(shop: Session, url: string, rows: number): Promise<void> {
  await shop.run(table);
  await shop.run(
    `INSERT INTO item SELECT seq, CONCAT('name ', seq), REPEAT('x', 100), seq * 1.5, NOW(), seq % 2 = 0, seq, seq * 1000000007, CONCAT('a', seq),
  CONCAT('b', seq), CONCAT('c', seq), CASE WHEN seq % 3 = 0 THEN CONCAT('note ', seq) END FROM seq_1_to_${rows}`,
  );
  await shop.run("CREATE DATABASE plain");
  await shop.run("CREATE TABLE plain.item LIKE item");
  await shop.run("INSERT INTO plain.item SELECT * FROM item");
  await shop.run("ANALYZE TABLE item");
  const writer = mysqlOutboxWriter();
  const tables = [{ namespace: new URL(url).pathname.slice(1), name: "item" }];
  await writer.ensure(shop.run);
  await writer.describe(shop.run, tables);
  await writer.keepCapture(shop.run, { kind: "trigger" });
  const about = { name: "stock", outbox: {}, logger: silentLogger };
  for (const statement of (await captureOf("trigger", sourceOfUrl(url, about)).plan(shop.run, tables))
    .statements) {
    await shop.run(statement);
  }
}

async function freshDatabase(server: RunningServer, name: string): Promise<string> {
  await using admin = await connect(server.url);
  await admin.run(`CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

interface Session extends AsyncDisposable {
  readonly run: RunStatement;
}

async function connect(url: string): Promise<Session> {
  const connection: Connection = await createConnection({ uri: url, multipleStatements: false });
  return {
    run: async (sql, parameters = []) => {
      const [found] = await connection.query<RowDataPacket[]>(sql, [...parameters]);
      return Array.isArray(found) ? found : [];
    },
    [Symbol.asyncDispose]: () => connection.end(),
  };
}
