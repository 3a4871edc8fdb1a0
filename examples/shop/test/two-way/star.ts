import { type LockstepConfig, parseConfig } from "@lockstep/config";
import { type CaptureKind, comparePositions, type Position, silentLogger } from "@lockstep/core";
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
    await rig.#until("running lanes", async () => (await rig.#runningLanes()) === lanes);
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

  async #runningLanes(): Promise<number> {
    const found = await Promise.all(
      [...this.nodes.keys()].map((source) => {
        const reader = redisStatusReader({ redis: this.redis.url, source });
        return reader.lanes().finally(() => reader.close());
      }),
    );
    return found.flat().filter(({ state }) => state === "running").length;
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
    let before = await this.#applied();
    await this.#until("nodes that have come to rest", async () => {
      const now = await this.#applied();
      // Of a log the barrier itself is one more.
      const isAtRest = [...now].every(
        ([lane, { total, source }]) => total === before.get(lane)!.total + (this.#isLog(source) ? 1n : 0n),
      );
      before = now;
      return isAtRest && !(await this.#isRetrying());
    });
    const rows = [...this.nodes.keys()].map(async (node) => [node, await this.rows(node)] as const);
    return Object.fromEntries(await Promise.all(rows));
  }

  /** Waits until every lane has what is committed now; says how many events each has had. */
  async #applied(): Promise<ReadonlyMap<string, { readonly source: string; readonly total: bigint }>> {
    const marks = new Map<string, Position>();
    for (const [node, { lockstep }] of this.nodes)
      marks.set(node, (await lockstep.barrier({ timeoutMs: 30_000 })).position);
    const lanes = async () => {
      const found = await Promise.all([...this.nodes.keys()].map((node) => this.#checkpoints(node)));
      const all = found.flat();
      const isThere = all.every(
        ({ source, position }) => comparePositions(position, marks.get(source)!) >= 0,
      );
      return isThere && all;
    };
    const found = await eventually(lanes, { what: "lanes that have everything" });
    return new Map(found.map(({ lane, source, total }) => [lane, { source, total: BigInt(total) }]));
  }

  async #checkpoints(node: string) {
    const [table, partition] = this.isPostgres(node)
      ? ["lockstep.checkpoint", "partition"]
      : ["lockstep_checkpoint", "part"];
    const rows = await this.run<{ source: string; part: number; position: Position; total: string }>(
      node,
      `select source, ${partition} as part, position, total from ${table}`,
    );
    return rows.map((row) => ({ ...row, lane: `${row.source} ${row.part} ${node}` }));
  }

  async #isRetrying(): Promise<boolean> {
    const nodes = [...this.nodes.keys()];
    const letters = await Promise.all(
      nodes.map((node) => this.run<{ state: string }>(node, this.letters(node))),
    );
    return letters.flat().some(({ state }) => state === "retrying" || state === "due");
  }

  #isLog(node: string): boolean {
    return ["wal", "binlog"].includes(this.config.sources[node]!.capture);
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
