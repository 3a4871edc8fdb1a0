import { type LaneReport, type RunStatement, silentLogger } from "@lockstep/core";
import { entityList, shopEntities, startService } from "@lockstep/example-shop";
import { postgresOutboxWriter } from "@lockstep/outbox";
import { captureOf, sourceOfUrl } from "@lockstep/publisher/capture";
import { redisStatusReader } from "@lockstep/stream";
import {
  eventually,
  type NodeProcess,
  type RunningServer,
  startPostgres,
  startRedis,
} from "@lockstep/testing";
import pg from "pg";
import { DataSource } from "typeorm";
import type { BenchCapture } from "./backlog.js";

/** The servers and processes of the end-to-end comparison. One target server holds both mirrors: Lockstep's and the native one's. */
export interface Rig extends AsyncDisposable {
  readonly source: pg.Client;
  readonly sourceUrl: string;
  readonly capture: BenchCapture;
  readonly lockstep: pg.Client;
  readonly native: pg.Client;
  readonly redis: string;
  readonly processes: { readonly relay: NodeProcess; readonly consumer: NodeProcess };
}

// Durable as in production on both sides; logical decoding needs the level.
// A subscription that was disabled starts again at once: by default its worker waits up to 5 s, which would be counted as draining.
const settings = {
  fsync: "on",
  synchronous_commit: "on",
  shared_buffers: "256MB",
  max_wal_size: "4GB",
  wal_retrieve_retry_interval: "10ms",
};

/** Starts everything; both mirrors follow the orders table and stand still at first. */
export async function startRig(capture: BenchCapture): Promise<Rig> {
  const servers = [
    await startPostgres({ settings }),
    await startPostgres({ settings }),
    await startRedis(),
  ] as const;
  const [source, target, redis] = servers;
  const sourceUrl = await database(source, "shop");
  const nativeUrl = await database(target, "native");
  const lockstepUrl = await database(target, "lockstep");
  await makeTables(sourceUrl);
  await installCapture(sourceUrl, capture);
  await makeTables(nativeUrl);
  const targets = { mirror: { type: "postgres", url: lockstepUrl, schema: "managed" } };
  const config = {
    redis: redis.url,
    sources: { shop: { url: sourceUrl, capture } },
    targets,
    logLevel: "warn",
  };
  const rig = {
    source: await connect(sourceUrl),
    sourceUrl,
    capture,
    lockstep: await connect(lockstepUrl),
    native: await connect(nativeUrl),
    redis: redis.url,
    processes: {
      relay: await startService("@lockstep/relay", config, true),
      consumer: await startService("@lockstep/consumer", config, true),
    },
  };
  await followNatively(rig.source, rig.native, sourceUrl);
  return {
    ...rig,
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(rig.processes).map((process) => process[Symbol.asyncDispose]()));
      await Promise.all([rig.source, rig.lockstep, rig.native].map((client) => client.end()));
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** Returns when the lane runs: what is written from now on reaches the mirror. */
export async function untilRegistered(rig: Rig): Promise<LaneReport> {
  const reader = redisStatusReader({ redis: rig.redis, source: "shop" });
  try {
    const running = async () => (await reader.lanes()).find((lane) => lane.state === "running");
    return await eventually(running, { what: "a running lane", timeoutMs: 30_000, intervalMs: 100 });
  } finally {
    await reader.close();
  }
}

async function database(server: RunningServer, name: string): Promise<string> {
  const admin = await connect(server.url);
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function makeTables(url: string): Promise<void> {
  const dataSource = new DataSource({
    type: "postgres",
    url,
    entities: entityList(shopEntities("postgres")),
    synchronize: true,
  });
  await dataSource.initialize();
  await dataSource.query(`ALTER TABLE orders DROP CONSTRAINT IF EXISTS ${await orderForeignKey(dataSource)}`);
  const writer = postgresOutboxWriter({});
  await writer.ensure((sql, parameters) => dataSource.query(sql, parameters as unknown[]));
  await dataSource.destroy();
}

async function installCapture(url: string, kind: BenchCapture): Promise<void> {
  const client = await connect(url);
  const about = { name: "shop", outbox: {}, logger: silentLogger };
  const run: RunStatement = async (sql) => (await client.query(sql)).rows;
  const tables = [{ namespace: "public", name: "orders" }];
  const { statements } = await captureOf(kind, sourceOfUrl(url, about)).plan(run, tables);
  for (const statement of statements) await run(statement);
  await client.end();
}

async function orderForeignKey(dataSource: DataSource): Promise<string> {
  const [row] = await dataSource.query(
    `SELECT quote_ident(conname) AS name FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype = 'f'`,
  );
  return row.name;
}

async function followNatively(source: pg.Client, native: pg.Client, sourceUrl: string): Promise<void> {
  await source.query("CREATE PUBLICATION orders_only FOR TABLE orders");
  const { hostname, port, username, password } = new URL(sourceUrl);
  const connection = `host=${hostname} port=${port} dbname=shop user=${username}${password ? ` password=${password}` : ""}`;
  await source.query("SELECT pg_create_logical_replication_slot('native', 'pgoutput')");
  await native.query(
    `CREATE SUBSCRIPTION native CONNECTION '${connection}' PUBLICATION orders_only WITH (enabled = false, create_slot = false, slot_name = 'native', copy_data = false)`,
  );
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
