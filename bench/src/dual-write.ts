import { setTimeout as sleep } from "node:timers/promises";
import { entityList, shopEntities, startService } from "@lockstep/example-shop";
import { dualWrite, publishChanges } from "@lockstep/publisher";
import { postgresTarget } from "@lockstep/target-postgres";
import {
  compareSides,
  eventually,
  openSide,
  type RunningServer,
  startPostgres,
  startRedis,
} from "@lockstep/testing";
import { DataSource } from "typeorm";
import { percentile } from "./spread.js";

interface Milliseconds {
  readonly p50: number;
  readonly p99: number;
}

interface AfterFaults {
  /** Writes that the caller got an error for. */
  readonly failedSaves: number;
  /** Rows in which the two databases differ when everything has come to rest. */
  readonly differingRows: number;
}

/** The result of `npm run bench -- dual-write`. */
export interface DualWriteFigures {
  readonly scenario: "dual-write";
  readonly rounds: number;
  /** From the call of a save at 100/s until it returns, both databases having the row. */
  readonly saveMs: { readonly lockstep: Milliseconds; readonly naive: Milliseconds };
  /** Eight clients write the same rows; the secondary dies meanwhile, and is back when they have ended. */
  readonly underFaults: { readonly lockstep: AfterFaults; readonly naive: AfterFaults };
}

/** A write that returns when both databases have it, or one of them failed. */
interface Contender {
  readonly source: string;
  readonly secondary: string;
  write(id: number, stock: number): Promise<unknown>;
  /** Returns when nothing is on its way any more. */
  rest(): Promise<unknown>;
}

const products = 20;
const rate = 100;

/** Saving in two databases, one after the other, as applications do it, and Lockstep's dual write: the same rows, servers and clients, in turns. */
export async function benchDualWrite(
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  say: (line: string) => void,
): Promise<DualWriteFigures> {
  const [source, secondary, redis] = await Promise.all([
    startPostgres({ settings: { fsync: "on" } }),
    startPostgres({ settings: { fsync: "on" } }),
    startRedis(),
  ]);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const naive = await openNaive(source, secondary, undo);
    const lockstep = await openLockstep(source, secondary, redis, undo);
    const contenders = { lockstep, naive };
    const times: Record<keyof typeof contenders, number[]> = { lockstep: [], naive: [] };
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0
        ? (["lockstep", "naive"] as const)
        : (["naive", "lockstep"] as const)) {
        times[name].push(...(await timed(contenders[name], seconds)));
        say(`${name}: ${JSON.stringify(spread(times[name]))}`);
      }
    }
    return {
      scenario: "dual-write",
      rounds,
      saveMs: { lockstep: spread(times.lockstep), naive: spread(times.naive) },
      underFaults: {
        lockstep: await underFaults(lockstep, secondary, seconds),
        naive: await underFaults(naive, secondary, seconds),
      },
    };
  } finally {
    for (const step of undo.toReversed()) await step();
    for (const server of [source, secondary, redis]) await server[Symbol.asyncDispose]();
  }
}

async function openNaive(
  source: RunningServer,
  secondary: RunningServer,
  undo: (() => Promise<unknown>)[],
): Promise<Contender> {
  const [first, second] = [await shop(source, "naive"), await shop(secondary, "naive")];
  undo.push(
    () => first.destroy(),
    () => second.destroy(),
  );
  for (const one of [first, second]) await fill(one);
  return {
    source: urlOf(source, "naive"),
    secondary: urlOf(secondary, "naive"),
    async write(id, stock) {
      await first.getRepository("Product").update({ id }, { stock });
      await second.getRepository("Product").update({ id }, { stock });
    },
    rest: async () => undefined,
  };
}

async function openLockstep(
  source: RunningServer,
  secondary: RunningServer,
  redis: RunningServer,
  undo: (() => Promise<unknown>)[],
): Promise<Contender> {
  const dataSource = await shop(source, "lockstep_bench");
  undo.push(() => dataSource.destroy());
  const target = await shop(secondary, "lockstep_bench");
  await target.destroy();
  const url = urlOf(secondary, "lockstep_bench");
  const lockstep = await publishChanges(dataSource, {
    redis: redis.url,
    source: "shop",
    targets: [postgresTarget({ name: "secondary", url })],
  });
  undo.push(() => lockstep.close());
  const consumer = await startService("@lockstep/consumer", {
    redis: redis.url,
    sources: { shop: {} },
    targets: { secondary: { type: "postgres", url, schema: "managed" } },
    logLevel: "silent",
  });
  undo.push(async () => consumer[Symbol.asyncDispose]());
  const applied = (timeoutMs: number) => lockstep.whenApplied("secondary", { timeoutMs });
  const isThere = async (): Promise<boolean> => (await applied(500)) === "applied";
  await eventually(isThere, { what: "the secondary's lane", timeoutMs: 30_000 });
  await fill(dataSource);
  const repository = dualWrite(lockstep, { targets: ["secondary"] }).repository(
    dataSource.getRepository("Product"),
  );
  return {
    source: urlOf(source, "lockstep_bench"),
    secondary: url,
    write: (id, stock) => repository.update({ id }, { stock }),
    rest: () => eventually(isThere, { what: "everything in the secondary", timeoutMs: 60_000 }),
  };
}

/** Milliseconds of each write, at the same pace; the first quarter warms up. */
async function timed({ write }: Contender, seconds: number): Promise<readonly number[]> {
  const times: number[] = [];
  const start = performance.now();
  const under: Promise<void>[] = [];
  for (let n = 0; n < seconds * rate; n++) {
    const due = start + (n * 1000) / rate - performance.now();
    if (due > 0) await sleep(due);
    const one = async (): Promise<void> => {
      const began = performance.now();
      await write(1 + (n % products), n);
      if (n >= (seconds * rate) / 4) times.push(performance.now() - began);
    };
    under.push(one());
  }
  await Promise.all(under);
  return times;
}

async function underFaults(
  contender: Contender,
  secondary: RunningServer,
  seconds: number,
): Promise<AfterFaults> {
  const until = performance.now() + seconds * 1000;
  let failedSaves = 0;
  const client = async (number: number): Promise<void> => {
    for (let n = 0; performance.now() < until; n++) {
      const id = 1 + ((number + n) % products);
      await contender.write(id, number * 1_000_000 + n).catch(() => failedSaves++);
    }
  };
  const accident = async (): Promise<void> => {
    await sleep(seconds * 600);
    await secondary.kill();
  };
  await Promise.all([accident(), ...Array.from({ length: 8 }, (_, number) => client(number))]);
  await secondary.start();
  await contender.rest();
  await using left = await openSide(contender.source);
  await using right = await openSide(contender.secondary);
  const { missing, extra, differing } = await compareSides(left, right, { tables: ["products"] });
  return { failedSaves, differingRows: missing + extra + differing };
}

function spread(times: readonly number[]): Milliseconds {
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

async function shop(server: RunningServer, name: string): Promise<DataSource> {
  const admin = await new DataSource({ type: "postgres", url: server.url }).initialize();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.destroy();
  const entities = entityList(shopEntities("postgres"));
  return new DataSource({
    type: "postgres",
    url: urlOf(server, name),
    entities,
    synchronize: true,
  }).initialize();
}

function urlOf(server: RunningServer, name: string): string {
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function fill(dataSource: DataSource): Promise<void> {
  const rows = Array.from({ length: products }, (_, i) => ({
    sku: `s${i}`,
    title: "t",
    price: "1.00",
    stock: 0,
  }));
  await dataSource.getRepository("Product").insert(rows);
}
