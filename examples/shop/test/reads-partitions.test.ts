import { randomUUID } from "node:crypto";
import { partitionOf } from "@lockstep/core";
import type { AppliedOptions } from "@lockstep/publisher";
import { laneFreshness, replicaReads, type ReplicaReads } from "@lockstep/reads";
import { redisStatusReader } from "@lockstep/stream";
import { postgresTarget } from "@lockstep/target-postgres";
import { eventually, type NodeProcess } from "@lockstep/testing";
import { expect } from "chai";
import { DataSource } from "typeorm";
import { runLockstep } from "../src/demo/lockstep-command.js";
import { type Customer, shopEntities } from "../src/index.js";
import { Rig, type RigApp } from "./rig/rig.js";

const partitions = 3;

describe("the barrier and reads from a target with several partitions", () => {
  // Without foreign keys: they aren't kept across partitions.
  const { customer } = shopEntities("postgres");
  let rig: Rig;
  let app: RigApp;
  let consumer: NodeProcess;
  let replica: DataSource;
  let reads: ReplicaReads;

  const target = () => postgresTarget({ name: "reporting", url: rig.targets["reporting"]!.url });
  const openApp = () => rig.openApp({ partitions, schemas: [customer], targets: [target()] });
  before(async () => {
    rig = await Rig.open("postgres", { reporting: "postgres" });
    app = await openApp();
    consumer = await rig.startConsumer({ sources: { shop: { partitions } } });
    await untilLanes(
      (states) => states.length === partitions && states.every((state) => state === "running"),
    );
    await add(0, "first");
    await rig.untilConverged();
    const config = rig.config({ sources: { shop: { url: rig.source.url, partitions } } });
    const { code, lines } = await runLockstep(config, "sync", "full");
    expect(code, lines.join("\n")).to.equal(0);
    const { url } = rig.targets["reporting"]!;
    replica = await new DataSource({ type: "postgres", url, entities: [customer] }).initialize();
    reads = replicaReads(app.dataSource, {
      replicas: { reporting: { dataSource: replica, freshness: laneFreshness(app.lockstep, target()) } },
      maxLagMs: 600_000,
      waitMs: 500,
      report: app.lockstep.reportReads,
    });
    await eventually(async () => reads.status().replicas["reporting"]!.state === "in", {
      what: "in rotation",
    });
  });
  after(async () => {
    await reads?.[Symbol.asyncDispose]();
    if (replica?.isInitialized) await replica.destroy();
    await consumer?.[Symbol.asyncDispose]();
    await app?.[Symbol.asyncDispose]();
    await rig?.[Symbol.asyncDispose]();
  });

  const untilLanes = async (are: (states: readonly string[]) => boolean): Promise<void> => {
    const reader = redisStatusReader({ redis: rig.redis.url, source: "shop" });
    const look = async () => are((await reader.lanes()).map(({ state }) => state));
    await eventually(look, { what: "the lanes so" }).finally(() => reader.close());
  };
  /** Of a partition. */
  const newId = (partition: number): string => {
    for (;;) {
      const id = randomUUID();
      if (partitionOf("public.customers", JSON.stringify([id]), partitions) === partition) return id;
    }
  };
  const add = async (partition: number, name: string): Promise<string> => {
    const id = newId(partition);
    const rest = { loyaltyPoints: "0", active: true, preferences: null };
    await app.dataSource.getRepository(customer).save({ id, name, email: `${id}@example.org`, ...rest });
    return id;
  };
  const atReplica = async (id: string) => (await replica.getRepository(customer).findOneBy({ id }))?.name;
  /** However long it takes. */
  const whenApplied = (options: AppliedOptions = {}) =>
    app.lockstep.whenApplied("reporting", { timeoutMs: 30_000, ...options });
  const nameOf = (id: string) =>
    reads.read(async (manager) => (await manager.findOneBy<Customer>(customer, { id }))?.name);
  const pause = async (partition: number, isPaused: boolean): Promise<void> => {
    const lanes = target();
    await lanes.setPaused({ source: "shop", partition }, isPaused);
    await lanes.close();
    await untilLanes((states) => states.includes("paused") === isPaused);
  };

  it("waits for what one transaction wrote, whichever partition it is in, while the others are silent", async () => {
    for (let i = 0; i < 9; i++) {
      const id = await add(i % partitions, `one ${i}`);
      expect(await whenApplied()).to.equal("applied");
      expect(await atReplica(id)).to.equal(`one ${i}`);
    }
  });

  it("a request reads what it wrote, whichever partition it is in", async () => {
    const before = reads.status().replicas["reporting"]!.reads;
    await reads.request(async () => {
      for (let i = 0; i < 9; i++)
        expect(await nameOf(await add(i % partitions, `mine ${i}`))).to.equal(`mine ${i}`);
    });
    expect(reads.status().replicas["reporting"]!.reads - before).to.be.greaterThan(4);
  });

  it("the status says where reads go", async () => {
    const reader = redisStatusReader({ redis: rig.redis.url, source: "shop" });
    const said = async () => {
      const [one] = await reader.reads();
      return one !== undefined && one.replicas["reporting"]!.reads > 0 && one;
    };
    const report = await eventually(said, { what: "a report" }).finally(() => reader.close());
    expect(report.process).to.match(new RegExp(`/${process.pid}$`));
    expect(report.replicas["reporting"]).to.include({ state: "in" });
  });

  it("a transaction over all partitions isn't there before all of them have it", async () => {
    await pause(2, true);
    try {
      const ids = [0, 1, 2].map(newId);
      await reads.request(async () => {
        const rows = ids.map((id) => ({
          id,
          name: "all",
          email: `${id}@example.org`,
          loyaltyPoints: "0",
          active: true,
          preferences: null,
        }));
        await app.dataSource.getRepository(customer).save(rows);
        expect(await whenApplied({ timeoutMs: 300 })).to.equal("timed-out");
        for (const id of ids) expect(await nameOf(id)).to.equal("all");
      });
      expect(reads.status().primary.reasons).to.include.keys("behind");
      await pause(2, false);
      expect(await whenApplied()).to.equal("applied");
      for (const id of ids) expect(await atReplica(id)).to.equal("all");
    } finally {
      await pause(2, false);
    }
  });

  it("a row that the target refuses is set aside; others are applied", async () => {
    await replica.query("ALTER TABLE customers ADD CHECK (name <> 'refused')");
    const [refused, taken] = [await add(1, "refused"), await add(1, "taken")];
    const rowsOf = (id: string) => ({ rows: [{ table: "customers", key: [id] }] });
    expect(await whenApplied(rowsOf(refused))).to.equal("set-aside");
    expect(await whenApplied(rowsOf(taken))).to.equal("applied");
    expect(await whenApplied()).to.equal("applied");
    expect([await atReplica(refused), await atReplica(taken)]).to.deep.equal([undefined, "taken"]);
  });

  it("the relay fails over, then all of Redis is lost and the streams are built anew: the wait ends behind the rows", async () => {
    await reads[Symbol.asyncDispose]();
    const before = app;
    app = await openApp();
    let ended: Promise<void> | undefined;
    for (let i = 0; i < 16; i++) {
      if (i === 5) ended = Promise.resolve(before[Symbol.asyncDispose]());
      if (i === 10) await rig.flushRedis();
      const ids = [await add(i % partitions, `over ${i}`), await add((i + 1) % partitions, `over ${i}`)];
      expect(await whenApplied()).to.equal("applied");
      for (const id of ids) expect(await atReplica(id)).to.equal(`over ${i}`);
    }
    await ended;
  });
});
