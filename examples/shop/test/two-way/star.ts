import { type LockstepConfig, parseConfig } from "@lockstep/config";
import { type CaptureKind, type LaneReport, type RelayReport, silentLogger } from "@lockstep/core";
import { startConsumer } from "@lockstep/consumer";
import { publishChanges, type Publisher } from "@lockstep/publisher";
import { redisStatusReader } from "@lockstep/stream";
import {
  eventually,
  type FaultProxy,
  type FreshDatabase,
  freshMariaDb,
  freshPostgres,
  type RunningServer,
  startProxy,
  startRedis,
} from "@lockstep/testing";
import { DataSource, EntitySchema } from "typeorm";

/** A node as a test wants it. */
export interface NodeKind {
  readonly kind: "postgres" | "mariadb";
  readonly capture: CaptureKind;
  /** Default 1. */
  readonly partitions?: number;
}

/** The table that all nodes have. */
export const stock = new EntitySchema<{ id: number; name: string | null; amount: number }>({
  name: "stock",
  columns: {
    id: { type: "int", primary: true },
    name: { type: "varchar", length: 40, nullable: true },
    amount: { type: "int" },
  },
});

interface OpenNode {
  readonly database: FreshDatabase;
  readonly proxy: FaultProxy;
  readonly dataSource: DataSource;
  readonly lockstep: Publisher;
}

interface Reports {
  readonly relay: RelayReport | undefined;
  readonly lanes: readonly LaneReport[];
}

/** Nodes of two-way sync with an application on each, and a consumer for all; the first is the hub. */
export class StarRig implements AsyncDisposable {
  private constructor(
    readonly nodes: ReadonlyMap<string, OpenNode>,
    readonly config: LockstepConfig,
    private readonly redis: RunningServer,
    private readonly consumer: AsyncDisposable,
  ) {}

  static async open(
    kinds: Readonly<Record<string, NodeKind>>,
    tables: Readonly<Record<string, object>>,
  ): Promise<StarRig> {
    const redis = await startRedis();
    const opened = Object.entries(kinds).map(
      async ([name, kind]) => [name, await openNode(name, kind, redis.url)] as const,
    );
    const nodes = new Map(await Promise.all(opened));
    const [hub, ...leaves] = [...nodes.keys()];
    const partitionsOf = (name: string): number => kinds[name]!.partitions ?? 1;
    const lanes = leaves.reduce((sum, leaf) => sum + partitionsOf(leaf) + partitionsOf(hub!), 0);
    const sources = [...nodes].map(
      ([name, { database }]) => [name, { url: database.url, ...captureOf(kinds[name]!) }] as const,
    );
    const targets = [...nodes].map(([name, { database, proxy }]) => {
      const type = kinds[name]!.kind === "postgres" ? "postgres" : "mysql";
      return [name, { type, url: proxy.url(database.url) }] as const;
    });
    const config = parseConfig({
      redis: redis.url,
      sources: Object.fromEntries(sources),
      targets: Object.fromEntries(targets),
      twoWay: { stock: { hub, leaves, tables } },
      retry: { attempts: 3, delayMs: 100, maxDelayMs: 300 },
    });
    const consumer = await startConsumer({ config, logger: silentLogger as never });
    const rig = new StarRig(nodes, config, redis, consumer);
    await rig.#until("running lanes", async () => (await rig.lanes()).length === lanes);
    return rig;
  }

  /** Runs a statement of the application's at a node. */
  async run<T = Record<string, unknown>>(node: string, sql: string): Promise<T[]> {
    return await this.nodes.get(node)!.dataSource.query<T[]>(sql);
  }

  /** Runs a statement at a node that no event tells of; unless `versioned`, versions don't either, as after a backup was restored. */
  async lost(node: string, statement: string, { versioned = true } = {}): Promise<void> {
    const isPostgres = this.isPostgres(node);
    await this.source(node).transaction(async (manager) => {
      const origin = (value: string): Promise<unknown> =>
        manager.query(
          isPostgres
            ? `select set_config('lockstep.origin', '${value}', false)`
            : `set @lockstep_origin = nullif('${value}', '')`,
        );
      if (!versioned) await origin("nobody");
      // Events of what lanes have written may be there, and are about to be cut.
      const newest = isPostgres
        ? []
        : await manager.query("select coalesce(max(id), 0) as id from lockstep_outbox");
      await manager.query(statement);
      await manager.query(
        isPostgres
          ? "delete from lockstep.outbox where xid = pg_current_xact_id()"
          : `delete from lockstep_outbox where id > ${newest[0].id} and origin <=> @lockstep_origin`,
      );
      await origin("");
    });
  }

  /** The query of a node's letters. */
  letters(node: string): string {
    const isPostgres = this.isPostgres(node);
    return `select id, state from ${isPostgres ? "lockstep.dead_letter" : "lockstep_dead_letter"} order by id`;
  }

  isPostgres(node: string): boolean {
    return this.source(node).options.type === "postgres";
  }

  source(node: string): DataSource {
    return this.nodes.get(node)!.dataSource;
  }

  /** Makes a node unreachable for lanes, as a network cut does. */
  cut(node: string): Promise<void> {
    return this.nodes.get(node)!.proxy.cut();
  }

  heal(node: string): Promise<void> {
    return this.nodes.get(node)!.proxy.heal();
  }

  /** A node's rows, each as its cells joined by `|`. */
  async rows(node: string): Promise<string[]> {
    const rows = await this.run<{ id: number; name: string | null; amount: number }>(
      node,
      "select id, name, amount from stock order by id",
    );
    return rows.map(({ id, name, amount }) => `${id}|${name ?? "-"}|${amount}`);
  }

  /** Running lanes. */
  async lanes(): Promise<readonly LaneReport[]> {
    const found = await this.#reports();
    return found.flatMap(({ lanes }) => lanes).filter(({ state }) => state === "running");
  }

  /** Waits until every node has these rows. */
  async converged(rows: readonly string[]): Promise<void> {
    await this.#until(`${rows.length} rows at each node`, async () => {
      for (const node of this.nodes.keys()) {
        const found = await this.rows(node);
        if (found.join() !== rows.join()) throw new Error(`${node} has ${found.join(", ")}`);
      }
      return true;
    });
  }

  /** Waits until everything that was committed is applied everywhere, and what that made as well: events that go round and round never come to rest. */
  async settled(): Promise<Readonly<Record<string, readonly string[]>>> {
    let before = "";
    let since = Date.now();
    await this.#until("nodes that have come to rest", async () => {
      const reports = await this.#reports();
      const totals = JSON.stringify(reports.map(({ relay }) => relay?.total));
      // Reports come each at its own moment: what one says may be news to the others. So all of them must have spoken again since nothing was under way.
      if (totals !== before || !reports.every(isDone)) since = Date.now();
      before = totals;
      return reports.every(({ relay, lanes }) => [relay!, ...lanes].every(({ at }) => at > since));
    });
    const rows = [...this.nodes.keys()].map(async (node) => [node, await this.rows(node)] as const);
    return Object.fromEntries(await Promise.all(rows));
  }

  #reports(): Promise<readonly Reports[]> {
    return Promise.all(
      [...this.nodes.keys()].map(async (source) => {
        const reader = redisStatusReader({ redis: this.redis.url, source });
        const [relay, lanes] = await Promise.all([reader.relay(), reader.lanes()]).finally(() =>
          reader.close(),
        );
        return { relay, lanes };
      }),
    );
  }

  #until(what: string, probe: () => Promise<boolean>): Promise<unknown> {
    return eventually(probe, { what, timeoutMs: 30_000, intervalMs: 50 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.consumer[Symbol.asyncDispose]();
    for (const { lockstep, dataSource, proxy } of this.nodes.values()) {
      await lockstep.close();
      await dataSource.destroy();
      await proxy[Symbol.asyncDispose]();
    }
    await this.redis.stop();
    for (const { database } of this.nodes.values()) await database.drop();
  }
}

function isDone({ relay, lanes }: Reports): boolean {
  return lanes.every(
    ({ position, letters, state }) =>
      state === "running" && position === relay?.published && !letters["retrying"] && !letters["due"],
  );
}

function captureOf({ capture, partitions = 1 }: NodeKind) {
  return { capture, partitions };
}

async function openNode(name: string, node: NodeKind, redis: string): Promise<OpenNode> {
  const { kind } = node;
  const database = await (kind === "postgres" ? freshPostgres() : freshMariaDb());
  const proxy = await startProxy({ port: Number(new URL(database.url).port) });
  const dataSource = await new DataSource({
    type: kind,
    url: database.url,
    entities: [stock],
    synchronize: true,
  }).initialize();
  const lockstep = await publishChanges(dataSource, { redis, source: name, ...captureOf(node) });
  return { database, proxy, dataSource, lockstep };
}
