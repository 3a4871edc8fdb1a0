import { once } from "node:events";
import { spawn } from "node:child_process";
import { silentLogger, type RunStatement } from "@lockstep/core";
import { startService } from "@lockstep/example-shop";
import { postgresOutboxWriter } from "@lockstep/outbox";
import { captureOf, sourceOfUrl } from "@lockstep/publisher/capture";
import { startPostgres, startRedis } from "@lockstep/testing";
import { connect, database } from "./snapshot/database.js";
import { benchFromMariaDb, type MariaDbResult } from "./snapshot/from-mariadb.js";
import { fullSync } from "./snapshot/full-sync.js";
import { type Spread, spreadOf } from "./spread.js";

/** The result of `npm run bench -- snapshot`. */
export interface SnapshotResult {
  readonly scenario: "snapshot";
  readonly rounds: number;
  readonly rows: number;
  /** `lockstep sync full` into an empty target, from the start of its process to its end. */
  readonly rowsPerSecond: Spread;
  /** The same by `pg_dump -a | psql`; `null` where they aren't installed. */
  readonly pgDumpRowsPerSecond: Spread | null;
  /** Lockstep ÷ pg_dump, by pairs. */
  readonly ratioToPgDump: Spread | null;
  /** `null` where it was left out. */
  readonly mariadb: MariaDbResult | null;
}

// Durable as in production, on both sides.
const settings = { fsync: "on", synchronous_commit: "on", shared_buffers: "256MB", max_wal_size: "4GB" };

const table = `CREATE TABLE item (id int PRIMARY KEY, name varchar(60), pad varchar(200), amount decimal(12,2), at timestamp,
  ok boolean, n1 int, n2 bigint, a varchar(20), b varchar(20), c varchar(20), d text)`;

/** A table of 12 columns copied to an empty database on another server: by a full sync through the stream, and by the database's own tools. */
export async function benchSnapshot(
  {
    rounds,
    rows,
    fromMariaDb = true,
  }: { readonly rounds: number; readonly rows: number; readonly fromMariaDb?: boolean },
  say: (line: string) => void,
): Promise<SnapshotResult> {
  const servers = [
    await startPostgres({ settings }),
    await startPostgres({ settings }),
    await startRedis(),
  ] as const;
  const [source, target, redis] = servers;
  try {
    const url = await database(source, "shop");
    await fill(url, rows);
    const sources = { shop: { url, capture: "trigger" } };
    await using _relay = await startService("@lockstep/relay", {
      redis: redis.url,
      sources,
      logLevel: "warn",
    });
    const speeds = { lockstep: [] as number[], dump: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const dump = await dumpInto(url, await withTable(await database(target, `dumped_${round}`)));
      const name = `mirror_${round}`;
      const targets = { [name]: { type: "postgres", url: await database(target, name), schema: "managed" } };
      await using client = await connect(url);
      const took = await fullSync({ redis: redis.url, sources, targets, logLevel: "warn" }, name, {
        isRegistered: async () =>
          (await client.query("SELECT 1 FROM lockstep.target WHERE name = $1", [name])).rowCount === 1,
        forget: () => client.query("DELETE FROM lockstep.target WHERE name = $1", [name]),
      });
      speeds.lockstep.push(rows / took);
      if (dump !== undefined) speeds.dump.push(rows / dump);
      say(
        `round ${round + 1}: full sync ${took.toFixed(1)} s, pg_dump ${dump?.toFixed(1) ?? "not installed"} s`,
      );
    }
    const hasDump = speeds.dump.length === rounds;
    return {
      scenario: "snapshot",
      rounds,
      rows,
      rowsPerSecond: spreadOf(speeds.lockstep),
      pgDumpRowsPerSecond: hasDump ? spreadOf(speeds.dump) : null,
      ratioToPgDump: hasDump ? spreadOf(speeds.lockstep.map((speed, i) => speed / speeds.dump[i]!)) : null,
      mariadb: fromMariaDb
        ? await benchFromMariaDb({ rounds, rows }, { postgres: target, redis }, say)
        : null,
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Seconds that `pg_dump -a | psql` takes; `undefined` where they aren't installed. */
async function dumpInto(from: string, to: string): Promise<number | undefined> {
  const began = performance.now();
  const dump = spawn("pg_dump", ["-a", "-t", "public.item", from], { stdio: ["ignore", "pipe", "ignore"] });
  const load = spawn("psql", ["-q", "-v", "ON_ERROR_STOP=1", to], { stdio: ["pipe", "ignore", "ignore"] });
  dump.stdout.pipe(load.stdin);
  try {
    const codes = await Promise.all([once(dump, "exit"), once(load, "exit")]);
    if (codes.some(([code]) => code !== 0)) throw new Error("pg_dump or psql failed");
    return (performance.now() - began) / 1000;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function fill(url: string, rows: number): Promise<void> {
  await using client = await connect(url);
  await client.query(table);
  await client.query(
    `INSERT INTO item SELECT n, 'name ' || n, repeat('x', 100), n * 1.5, now(), n % 2 = 0, n, n * 1000000007::bigint, 'a' || n, 'b' || n, 'c' || n,
  CASE WHEN n % 3 = 0 THEN 'note ' || n END FROM generate_series(1, $1::int) n`,
    [rows],
  );
  await client.query("VACUUM ANALYZE item");
  const run: RunStatement = async (sql, parameters) =>
    (await client.query<Record<string, unknown>>(sql, parameters as unknown[])).rows;
  const writer = postgresOutboxWriter();
  const tables = [{ namespace: "public", name: "item" }];
  await writer.ensure(run);
  await writer.describe(run, tables);
  await writer.keepCapture(run, { kind: "trigger" });
  const about = { name: "shop", outbox: {}, logger: silentLogger };
  for (const statement of (await captureOf("trigger", sourceOfUrl(url, about)).plan(run, tables))
    .statements) {
    await run(statement);
  }
}

async function withTable(url: string): Promise<string> {
  await using client = await connect(url);
  await client.query(table);
  return url;
}
