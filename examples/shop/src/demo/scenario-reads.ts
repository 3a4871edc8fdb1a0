import { randomUUID } from "node:crypto";
import { publishChanges, type Publisher } from "@lockstep/publisher";
import { laneFreshness, replicaReads, type ReplicaReads } from "@lockstep/reads";
import { mysqlTarget } from "@lockstep/target-mysql";
import { postgresTarget } from "@lockstep/target-postgres";
import { DataSource, type EntityManager } from "typeorm";
import { entityList, shopEntities } from "../entities.js";
import { type DemoProcesses, startProcesses } from "./processes.js";
import type { DemoOptions } from "./scenario-shop.js";
import { type DemoServers, startServers } from "./servers.js";
import { Watch } from "./watch.js";

/** What the scenario found: the object that `--json` prints. */
export interface ReadsResult {
  readonly reads: number;
  readonly fromReplica: number;
  /** Reads of what the same request had written that showed an older state. */
  readonly staleOwnReads: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of reads of the primary, in the same run. */
  readonly primaryP50Ms: number;
  readonly converged: boolean;
}

const visitors = 8;
/** Of each visit, beside the read of what it wrote. */
const readsPerVisit = 18;

/** A load of visits, each of which writes once and reads a lot, over a primary and two targets of different engines that are its replicas. */
export async function readsScenario(options: DemoOptions): Promise<ReadsResult> {
  const { say } = options;
  await using servers = await startServers(say);
  await using processes = await startProcesses(servers, options.verbose);
  const primary = await connect("postgres", servers.source, true);
  const replicas: DataSource[] = [];
  const watch = new Watch(servers.redis, "shop");
  try {
    await using lockstep = await publishChanges(primary, { redis: servers.redis, source: "shop" });
    await watch.untilLanesRun(2, 60_000);
    const ids = await firstCustomers(primary);
    await watch.untilCaughtUp(2, 60_000);
    await seed(processes);
    replicas.push(
      await connect("postgres", servers.targets.reporting),
      await connect("mariadb", servers.targets.warehouse),
    );
    await using reads = readsOf(lockstep, primary, replicas, servers);
    return await visit(new Visits(primary, reads, ids), reads, options);
  } finally {
    await watch.close();
    for (const dataSource of [primary, ...replicas]) await dataSource.destroy();
  }
}

function connect(type: "postgres" | "mariadb", url: string, synchronize = false): Promise<DataSource> {
  const entities = entityList(shopEntities(type === "postgres" ? "postgres" : "mysql"));
  const pool = type === "postgres" ? { max: visitors } : { connectionLimit: visitors };
  return new DataSource({ type, url, entities, synchronize, extra: pool }).initialize();
}

async function firstCustomers(primary: DataSource): Promise<readonly string[]> {
  const ids = Array.from({ length: 200 }, () => randomUUID());
  const customers = ids.map((id) => ({ id, email: `${id}@example.org`, name: "0", preferences: null }));
  await primary.manager.save("Customer", customers);
  return ids;
}

/** Nothing is older than the capture here, but only a full sync knows that. */
async function seed(processes: DemoProcesses): Promise<void> {
  await using command = await processes.lockstep("sync", "full");
  if ((await command.untilEnds()) !== 0) throw new Error(command.output.slice(-5).join("\n"));
}

function readsOf(
  lockstep: Publisher,
  primary: DataSource,
  [reporting, warehouse]: readonly DataSource[],
  { targets }: DemoServers,
): ReplicaReads {
  const here = postgresTarget({ name: "reporting", url: targets.reporting });
  const there = mysqlTarget({ name: "warehouse", url: targets.warehouse });
  return replicaReads(primary, {
    replicas: {
      reporting: { dataSource: reporting!, freshness: laneFreshness(lockstep, here) },
      warehouse: { dataSource: warehouse!, freshness: laneFreshness(lockstep, there) },
    },
    report: lockstep.reportReads,
  });
}

async function visit(
  visits: Visits,
  reads: ReplicaReads,
  { seconds, reads: wanted, signal, say }: DemoOptions,
): Promise<ReadsResult> {
  const until = performance.now() + seconds * 1000;
  const isOver = (): boolean =>
    signal.aborted || (wanted === undefined ? performance.now() > until : visits.count >= wanted);
  const progress = setInterval(() => say(lineOf(visits, reads)), 1000);
  const visitor = async (number: number): Promise<void> => {
    for (let n = 1; !isOver(); n++) await visits.one(number, n);
  };
  try {
    await Promise.all(Array.from({ length: visitors }, (_, number) => visitor(number)));
  } finally {
    clearInterval(progress);
  }
  say(lineOf(visits, reads));
  const fromReplica = Object.values(reads.status().replicas).reduce((sum, replica) => sum + replica.reads, 0);
  return {
    reads: visits.count,
    fromReplica,
    staleOwnReads: visits.stale,
    p50Ms: visits.routed.percentile(0.5),
    p99Ms: visits.routed.percentile(0.99),
    primaryP50Ms: visits.primary.percentile(0.5),
    converged: visits.stale === 0 && fromReplica > visits.count / 2,
  };
}

function lineOf({ count, stale }: Visits, reads: ReplicaReads): string {
  const { replicas, primary } = reads.status();
  const places = Object.entries(replicas).map(
    ([name, { state, lagMs, reads: n }]) => `${name} ${n} (${state}, ${lagMs ?? "?"} ms)`,
  );
  const reasons = Object.entries(primary.reasons).map(([reason, n]) => `${reason} ${n}`);
  return `${count} reads, ${stale} stale  ${places.join("  ")}  primary ${primary.reads} (${reasons.join(", ")})`;
}

class Visits {
  readonly routed = new Times();
  readonly primary = new Times();
  count = 0;
  stale = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly reads: ReplicaReads,
    private readonly ids: readonly string[],
  ) {}

  /** The visitor renames a customer that nobody else renames, reads it, and then reads others. */
  async one(visitor: number, n: number): Promise<void> {
    const mine = this.ids[visitor]!;
    await this.reads.request(async () => {
      await this.dataSource.manager.update("Customer", { id: mine }, { name: String(n) });
      if ((await this.#nameOf(mine)) !== String(n)) this.stale++;
      for (let i = 0; i < readsPerVisit; i++) await this.#nameOf(this.#any());
      if ((await this.#nameOf(mine)) !== String(n)) this.stale++;
    });
    // Outside of the visit, so that it changes nothing about where its reads go.
    await this.primary.take(() => this.reads.read(named(this.#any()), { primary: true }));
    this.count++;
  }

  async #nameOf(id: string): Promise<string | undefined> {
    this.count++;
    return this.routed.take(() => this.reads.read(named(id)));
  }

  #any(): string {
    return this.ids[Math.floor(Math.random() * this.ids.length)]!;
  }
}

function named(id: string): (manager: EntityManager) => Promise<string | undefined> {
  return async (manager) => {
    const customer = (await manager.findOneBy("Customer", { id })) as { readonly name: string } | null;
    return customer?.name;
  };
}

const maxMs = 10_000;

/** How often something took so long, in tenths of a millisecond: of any number of times, in the same room. */
class Times {
  readonly #counts = new Uint32Array(maxMs * 10 + 1);
  #count = 0;

  async take<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    const tenths = Math.min(maxMs * 10, Math.round((performance.now() - start) * 10));
    this.#counts[tenths]!++;
    this.#count++;
    return result;
  }

  percentile(share: number): number {
    let seen = 0;
    const at = this.#counts.findIndex((n) => (seen += n) >= share * this.#count);
    return at / 10;
  }
}
