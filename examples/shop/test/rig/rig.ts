import { publishChanges, type Publisher, type PublishOptions } from "@lockstep/publisher";
import {
  compareSides,
  type Comparison,
  eventually,
  type FaultProxy,
  type FreshDatabase,
  freshMariaDb,
  freshPostgres,
  NodeProcess,
  openSide,
  type RunningServer,
  startProxy,
  startRedis,
} from "@lockstep/testing";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { DataSource, type EntitySchema } from "typeorm";
import { startService } from "../../src/demo/processes.js";
import { entityList, Shop, shopEntities, type ShopEntities } from "../../src/index.js";

/** A database kind of the tests. */
export type Kind = "postgres" | "mariadb";

/** A source, targets by name, and a Redis of its own that a test may stop and empty. */
export class Rig implements AsyncDisposable {
  readonly #proxies: Readonly<Record<string, FaultProxy>>;

  private constructor(
    readonly kind: Kind,
    readonly source: FreshDatabase,
    readonly targets: Readonly<Record<string, FreshDatabase & { readonly kind: Kind }>>,
    readonly redis: RunningServer,
    proxies: Readonly<Record<string, FaultProxy>>,
  ) {
    this.#proxies = proxies;
  }

  static async open(kind: Kind, targetKinds: Readonly<Record<string, Kind>>): Promise<Rig> {
    const targets = Object.entries(targetKinds).map(
      async ([name, target]) => [name, { kind: target, ...(await fresh(target)) }] as const,
    );
    const [source, redis, ...opened] = await Promise.all([fresh(kind), startRedis(), ...targets]);
    const proxies = opened.map(
      async ([name, { url }]) => [name, await startProxy({ port: Number(new URL(url).port) })] as const,
    );
    return new Rig(
      kind,
      source,
      Object.fromEntries(opened),
      redis,
      Object.fromEntries(await Promise.all(proxies)),
    );
  }

  /** What a service of this rig is configured with. */
  config(more: object = {}): object {
    const targets = Object.entries(this.targets).map(([name, { kind, url }]) => {
      const type = kind === "postgres" ? "postgres" : "mysql";
      return [name, { type, url: this.#proxies[name]!.url(url), schema: "managed" }] as const;
    });
    return {
      redis: this.redis.url,
      sources: { shop: {} },
      targets: Object.fromEntries(targets),
      retry: { attempts: 3, delayMs: 100, maxDelayMs: 500 },
      ...more,
    };
  }

  startConsumer(more: object = {}): Promise<NodeProcess> {
    return startService("@lockstep/consumer", this.config(more));
  }

  /** The shop as a process of its own, writing for `seconds`. */
  startApp(seconds: number, rate: number): Promise<NodeProcess> {
    const main = fileURLToPath(new URL("../../src/app.js", import.meta.url));
    const env = {
      DATABASE_URL: this.source.url,
      REDIS_URL: this.redis.url,
      SHOP_SECONDS: String(seconds),
      SHOP_RATE: String(rate),
    };
    return NodeProcess.start({ main, env });
  }

  /** A DataSource of the source with the publisher on it, in this process. */
  async openApp(
    options: Partial<PublishOptions> & {
      readonly entities?: never;
      readonly schemas?: readonly EntitySchema[];
    } = {},
  ): Promise<RigApp> {
    const { schemas, ...publish } = options;
    const entities = shopEntities(this.kind === "postgres" ? "postgres" : "mysql");
    const type = this.kind;
    const list = schemas === undefined ? entityList(entities) : [...schemas];
    const dataSource = await new DataSource({
      type,
      url: this.source.url,
      entities: list,
      synchronize: true,
    }).initialize();
    const lockstep = await publishChanges(dataSource, { redis: this.redis.url, source: "shop", ...publish });
    return {
      dataSource,
      entities,
      shop: new Shop(dataSource, entities),
      lockstep,
      async [Symbol.asyncDispose]() {
        await lockstep.close();
        await dataSource.destroy();
      },
    };
  }

  /** Orders in a target; `undefined` while it has no such table. */
  async countOrders(target: string): Promise<number | undefined> {
    await using side = await openSide(this.targets[target]!.url);
    const rows = await side.query("SELECT count(*) AS n FROM orders").catch(() => undefined);
    return rows === undefined ? undefined : Number(rows[0]!["n"]);
  }

  /** Orders in the source. */
  async countAtSource(): Promise<number> {
    await using side = await openSide(this.source.url);
    const [row] = await side.query("SELECT count(*) AS n FROM orders");
    return Number(row!["n"]);
  }

  /** Makes a target unreachable, as a network cut does. */
  cutOff(target: string): Promise<void> {
    return this.#proxies[target]!.cut();
  }

  /** Ends {@link cutOff}. */
  reconnect(target: string): Promise<void> {
    return this.#proxies[target]!.heal();
  }

  /** Takes everything out of Redis. */
  async flushRedis(): Promise<void> {
    const client = new Redis(this.redis.url);
    await client.flushall();
    client.disconnect();
  }

  /** Compares the source with a target now. */
  async compare(target: string): Promise<Comparison> {
    await using left = await openSide(this.source.url);
    await using right = await openSide(this.targets[target]!.url);
    return await compareSides(left, right);
  }

  /** Returns when every target holds what the source holds; throws with the differences otherwise. The source must be quiet. */
  async untilConverged(timeoutMs = 60_000): Promise<Comparison[]> {
    const probe = async () => {
      const results = await Promise.all(Object.keys(this.targets).map((name) => this.compare(name)));
      const differences = results.flatMap((r) => (r.missing + r.extra + r.differing === 0 ? [] : r.examples));
      if (differences.length > 0) throw new Error(differences.join("; "));
      return results;
    };
    return eventually(probe, { what: "targets that hold what the source holds", timeoutMs, intervalMs: 50 });
  }

  /** Returns when all lanes have registered: what is written from now on reaches every target. */
  async untilRegistered(): Promise<void> {
    const { redisStatusReader } = await import("@lockstep/stream");
    const reader = redisStatusReader({ redis: this.redis.url, source: "shop" });
    const wanted = Object.keys(this.targets).length;
    try {
      const running = async () =>
        (await reader.lanes()).filter((lane) => lane.state === "running").length >= wanted;
      await eventually(running, { what: "running lanes", timeoutMs: 30_000, intervalMs: 50 });
    } finally {
      await reader.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.#proxies).map((proxy) => proxy[Symbol.asyncDispose]()));
    await this.redis.stop();
    await Promise.all([this.source, ...Object.values(this.targets)].map((database) => database.drop()));
  }
}

/** An app in this process. */
export interface RigApp extends AsyncDisposable {
  readonly dataSource: DataSource;
  readonly entities: ShopEntities;
  readonly shop: Shop;
  readonly lockstep: Publisher;
}

function fresh(kind: Kind): Promise<FreshDatabase> {
  return kind === "postgres" ? freshPostgres() : freshMariaDb();
}
