import { publishChanges } from "@lockstep/publisher";
import {
  type FaultProxy,
  type NodeProcess,
  type RunningServer,
  startMariaDb,
  startPostgres,
  startProxy,
  startRedis,
} from "@lockstep/testing";
import { DataSource, EntitySchema } from "typeorm";
import { type Customer, shopEntities } from "../entities.js";
import { startService } from "./processes.js";
import { mariaDbDatabase, postgresDatabase } from "./servers.js";

/** What lies in a shop. */
interface Stock {
  id: number;
  label: string;
  amount: number;
}

const stock = new EntitySchema<Stock>({
  name: "Stock",
  tableName: "stock",
  columns: {
    id: { type: "int", primary: true },
    label: { type: "varchar", length: 80 },
    amount: { type: "int" },
  },
});

/** A shop of its own, with its application, that has the same rows as the other. */
export interface ShopNode {
  readonly name: "main" | "branch";
  readonly url: string;
  readonly dataSource: DataSource;
  readonly customers: EntitySchema<Customer>;
  readonly stock: EntitySchema<Stock>;
}

/** Two shops in two-way sync, one on PostgreSQL and one on MariaDB, and the network between them. */
export interface TwoNodes extends AsyncDisposable {
  readonly redis: string;
  readonly nodes: readonly ShopNode[];
  /** Keeps what each writes from the other. */
  cut(): Promise<void>;
  heal(): Promise<void>;
}

/** Starts all of it. */
export async function startTwoNodes(verbose: boolean): Promise<TwoNodes> {
  const servers = await Promise.all([startPostgres(), startMariaDb(), startRedis()]);
  const [postgres, mariaDb, redis] = servers;
  const main = await openNode("main", await postgresDatabase(postgres, "main"), redis);
  const branch = await openNode("branch", await mariaDbDatabase(mariaDb, "branch"), redis);
  const nodes = [main, branch];
  const proxies = await Promise.all(nodes.map(({ url }) => startProxy({ port: Number(new URL(url).port) })));
  const consumer = await startService(
    "@lockstep/consumer",
    configuration(redis.url, nodes, proxies),
    verbose,
  );
  return {
    redis: redis.url,
    nodes,
    cut: async () => void (await Promise.all(proxies.map((proxy) => proxy.cut()))),
    heal: async () => void (await Promise.all(proxies.map((proxy) => proxy.heal()))),
    async [Symbol.asyncDispose]() {
      await stop(consumer);
      await Promise.all(nodes.map((node) => node.close()));
      await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function openNode(name: ShopNode["name"], url: string, redis: RunningServer) {
  const type = name === "main" ? "postgres" : "mariadb";
  const { customer } = shopEntities(type === "postgres" ? "postgres" : "mysql");
  const entities = [customer, stock];
  const dataSource = await new DataSource({ type, url, entities, synchronize: true }).initialize();
  const lockstep = await publishChanges(dataSource, { redis: redis.url, source: name, capture: "trigger" });
  return {
    name,
    url,
    dataSource,
    customers: customer,
    stock,
    async close() {
      await lockstep.close();
      await dataSource.destroy();
    },
  };
}

function configuration(redis: string, nodes: readonly ShopNode[], proxies: readonly FaultProxy[]): object {
  const targets = nodes.map(({ name, url }, i) => {
    const type = name === "main" ? "postgres" : "mysql";
    return [name, { type, url: proxies[i]!.url(url) }] as const;
  });
  const sources = nodes.map(({ name, url }) => [name, { url, capture: "trigger" }] as const);
  const tables = { customers: { policy: "lastWriteWins" }, stock: { policy: "lastWriteWins" } };
  return {
    redis,
    sources: Object.fromEntries(sources),
    targets: Object.fromEntries(targets),
    twoWay: { shop: { hub: "main", leaves: ["branch"], tables } },
  };
}

async function stop(process: NodeProcess): Promise<void> {
  await process.stop();
  await process[Symbol.asyncDispose]();
}
