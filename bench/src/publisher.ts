import { publishChanges } from "@lockstep/publisher";
import { entityList, type ShopEntities, shopEntities } from "@lockstep/example-shop";
import { startMariaDb, startPostgres, startRedis } from "@lockstep/testing";
import { DataSource } from "typeorm";
import { type Spread, spreadOf } from "./spread.js";

type Engine = "postgres" | "mariadb";

/** What the publisher costs the app: throughput with it ÷ without it, by kind of write. */
interface PublisherFigures {
  readonly save: Spread;
  readonly tx20: Spread;
  readonly update: Spread;
  readonly batch100: Spread;
}

/** The result of `npm run bench -- publisher`. */
export type PublisherResult = {
  readonly scenario: "publisher";
  readonly rounds: number;
} & PublisherFigures & { readonly mariadb: PublisherFigures };

interface App extends AsyncDisposable {
  readonly dataSource: DataSource;
  readonly entities: ShopEntities;
}

type Write = (app: App, round: number) => Promise<void>;

const writes: Readonly<Record<keyof PublisherFigures, { readonly times: number; readonly write: Write }>> = {
  save: {
    times: 300,
    write: async ({ dataSource, entities }) =>
      void (await dataSource.getRepository(entities.tag).save(newTag())),
  },
  tx20: {
    times: 25,
    write: ({ dataSource, entities }) =>
      dataSource.transaction(async (manager) => {
        for (let i = 0; i < 20; i++) await manager.save(entities.tag, newTag());
      }),
  },
  update: {
    times: 300,
    write: async ({ dataSource, entities }, n) =>
      void (await dataSource.getRepository(entities.product).update({ id: 1 + (n % 50) }, { stock: n })),
  },
  batch100: {
    times: 15,
    write: async ({ dataSource, entities }) =>
      void (await dataSource.getRepository(entities.tag).save(Array.from({ length: 100 }, newTag))),
  },
};

let serial = 0;
function newTag() {
  return { name: `tag-${++serial}`, description: "a word on a product" };
}

/** `share` scales the number of writes of a round. Interleaved rounds on one server: two databases of the same shop, one with the publisher (its relay elsewhere), one without. */
export async function benchPublisher(
  rounds: number,
  say: (line: string) => void,
  share = 1,
): Promise<PublisherResult> {
  await using redis = await startRedis();
  const figures = async (engine: Engine) => {
    await using server = await (engine === "postgres"
      ? startPostgres({ settings: { fsync: "on" } })
      : startMariaDb());
    await using bare = await openApp(engine, server.url, "bare");
    await using captured = await openApp(engine, server.url, "captured", redis.url);
    return await measure(bare, captured, { rounds, share }, (line) => say(`${engine}: ${line}`));
  };
  const postgres = await figures("postgres");
  return { scenario: "publisher", rounds, ...postgres, mariadb: await figures("mariadb") };
}

async function measure(
  bare: App,
  captured: App,
  { rounds, share }: { readonly rounds: number; readonly share: number },
  say: (line: string) => void,
): Promise<PublisherFigures> {
  const result: Partial<Record<keyof PublisherFigures, Spread>> = {};
  for (const [name, { times, write }] of Object.entries(writes) as [
    keyof PublisherFigures,
    (typeof writes)["save"],
  ][]) {
    const count = Math.ceil(times * share);
    for (const app of [bare, captured]) await timeOf(app, Math.ceil(count / 3), write);
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round++) {
      // Who goes first alternates, so that drift of the machine falls on both.
      const order = round % 2 === 0 ? [bare, captured] : [captured, bare];
      const seconds = new Map<App, number>();
      for (const app of order) seconds.set(app, await timeOf(app, count, write));
      ratios.push(seconds.get(bare)! / seconds.get(captured)!);
    }
    result[name] = spreadOf(ratios);
    say(`${name} with ÷ without: ${JSON.stringify(result[name])}`);
  }
  return result as PublisherFigures;
}

async function timeOf(app: App, times: number, write: Write): Promise<number> {
  const start = performance.now();
  for (let n = 0; n < times; n++) await write(app, n);
  return (performance.now() - start) / 1000;
}

async function openApp(engine: Engine, serverUrl: string, database: string, redis?: string): Promise<App> {
  const admin = await new DataSource({ type: engine, url: serverUrl }).initialize();
  await admin.query(`CREATE DATABASE ${database}`);
  await admin.destroy();
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  const entities = shopEntities(engine === "postgres" ? "postgres" : "mysql");
  const dataSource = await new DataSource({
    type: engine,
    url: url.href,
    entities: entityList(entities),
    synchronize: true,
  }).initialize();
  const lockstep =
    redis === undefined ? undefined : await publishChanges(dataSource, { redis, relay: false });
  const products = Array.from({ length: 50 }, (_, i) => ({
    sku: `s${i}`,
    title: "t",
    price: "1.00",
    stock: 0,
  }));
  await dataSource.getRepository(entities.product).insert(products);
  return {
    dataSource,
    entities,
    async [Symbol.asyncDispose]() {
      await lockstep?.close();
      await dataSource.destroy();
    },
  };
}
