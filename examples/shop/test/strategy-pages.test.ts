import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Publisher } from "@lockstep/publisher";
import type { ReplicaReads } from "@lockstep/reads";
import { eventually, type NodeProcess } from "@lockstep/testing";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { DataSource, type Repository } from "typeorm";
import { runLockstep } from "../src/demo/lockstep-command.js";
import { type Customer, entityList, shopEntities } from "../src/index.js";
import { Rig } from "./rig/rig.js";

const given = "lockstepStrategyPages";

/** Runs the code of a page as a module of a user's, beside a module that gives it its DataSources. */
async function runPage<T>(page: string, dataSources: Readonly<Record<string, DataSource>>): Promise<T> {
  const text = await readFile(new URL(`../../../../docs/strategies/${page}.md`, import.meta.url), "utf8");
  const [, code] = /```ts\n(.*?)```/s.exec(text) ?? [];
  const work = await mkdtemp(join(tmpdir(), "lockstep-page-"));
  try {
    const packages = join(work, "node_modules", "@lockstep");
    await mkdir(packages, { recursive: true });
    for (const name of ["publisher", "reads", "target-postgres"]) {
      const root = fileURLToPath(new URL("../..", import.meta.resolve(`@lockstep/${name}`)));
      await symlink(root, join(packages, name));
    }
    for (const name of ["bullmq", "ioredis"]) {
      await symlink(
        fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url)),
        join(work, "node_modules", name),
      );
    }
    Reflect.set(globalThis, given, dataSources);
    const names = Object.keys(dataSources).join(", ");
    await writeFile(join(work, "data-sources.js"), `export const { ${names} } = globalThis.${given};`);
    await writeFile(join(work, "package.json"), '{"type":"module"}');
    await writeFile(join(work, "page.js"), code!);
    return (await import(pathToFileURL(join(work, "page.js")).href)) as T;
  } finally {
    Reflect.deleteProperty(globalThis, given);
    await rm(work, { recursive: true, force: true });
  }
}

describe("the code of the strategy pages", () => {
  let rig: Rig;
  let consumer: NodeProcess;
  let dataSource: DataSource;
  let reporting: DataSource;
  let customers: Repository<Customer>;
  const entities = shopEntities("postgres");
  const customer = { name: "first", loyaltyPoints: "0", active: true, preferences: null };

  before(async () => {
    rig = await Rig.open("postgres", { reporting: "postgres" });
    const connect = (url: string, synchronize: boolean) =>
      new DataSource({ type: "postgres", url, entities: entityList(entities), synchronize }).initialize();
    dataSource = await connect(rig.source.url, true);
    reporting = await connect(rig.targets["reporting"]!.url, false);
    customers = dataSource.getRepository(entities.customer);
    process.env["REDIS_URL"] = rig.redis.url;
    process.env["REPORTING_URL"] = rig.targets["reporting"]!.url;
    consumer = await rig.startConsumer();
  });
  after(async () => {
    delete process.env["REDIS_URL"];
    delete process.env["REPORTING_URL"];
    for (const one of [dataSource, reporting]) if (one?.isInitialized) await one.destroy();
    await consumer?.[Symbol.asyncDispose]();
    await rig?.[Symbol.asyncDispose]();
  });

  it("read/write splitting", async () => {
    const page = await runPage<{
      readonly lockstep: Publisher;
      readonly reads: ReplicaReads;
      renameAndShow(id: string, name: string): Promise<Customer>;
    }>("read-write-splitting", { dataSource, reporting });
    try {
      await rig.untilRegistered();
      const config = rig.config({ sources: { shop: { url: rig.source.url } } });
      expect((await runLockstep(config, "sync", "full", "--target", "reporting")).code).to.equal(0);
      const { id } = await customers.save({ ...customer, id: randomUUID(), email: "a@example.org" });
      await eventually(async () => page.reads.status().replicas["reporting"]!.state === "in", {
        what: "the replica in rotation",
      });
      expect((await page.renameAndShow(id, "second")).name).to.equal("second");
    } finally {
      await page.reads[Symbol.asyncDispose]();
      await page.lockstep.close();
    }
  });

  it("events", async () => {
    const page = await runPage<{
      readonly lockstep: Publisher;
      readonly worker: { readonly opts: { readonly connection: Redis }; close(): Promise<void> };
      readonly seen: readonly string[];
    }>("events", { dataSource });
    try {
      const { id } = await customers.save({ ...customer, id: randomUUID(), email: "e@example.org" });
      await customers.update({ id }, { name: "second" });
      const isThere = async () => page.seen.length >= 2;
      await eventually(isThere, { what: "both jobs" });
      expect(page.seen.slice(0, 2)).to.deep.equal(["insert first", "update second"]);
    } finally {
      await page.worker.close();
      page.worker.opts.connection.disconnect();
      await page.lockstep.close();
    }
  });

  it("change data capture", async () => {
    // Another database: a source's capture isn't changed by starting with another one.
    await using other = await Rig.open("postgres", {});
    const written = await new DataSource({
      type: "postgres",
      url: other.source.url,
      entities: entityList(entities),
      synchronize: true,
    }).initialize();
    const page = await runPage<{ readonly lockstep: Publisher }>("change-data-capture", {
      dataSource: written,
    });
    try {
      await written.query("INSERT INTO tags (name) VALUES ('by hand')");
      const [row] = await written.query<{ n: string }[]>("SELECT count(*) AS n FROM lockstep.outbox");
      expect(row!.n).to.equal("1");
    } finally {
      await page.lockstep.close();
      await written.destroy();
    }
  });

  it("dual write", async () => {
    const page = await runPage<{
      readonly lockstep: Publisher;
      readonly customers: Repository<Customer>;
      readonly late: readonly string[];
      rename(id: string, name: string): Promise<string>;
    }>("dual-write", { dataSource });
    const atTarget = async (id: string) =>
      (await reporting.getRepository(entities.customer).findOneBy({ id }))?.name;
    try {
      await rig.untilRegistered();
      const { id } = await page.customers.save({ ...customer, id: randomUUID(), email: "b@example.org" });
      if (page.late.length === 0) expect(await atTarget(id)).to.equal("first");
      const state = await eventually(async () => (await page.rename(id, "second")) === "applied", {
        what: "a rename that the target has in time",
      });
      expect(state).to.equal(true);
      expect(await atTarget(id)).to.equal("second");
    } finally {
      await page.lockstep.close();
    }
  });
});
