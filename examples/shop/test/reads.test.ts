import { randomUUID } from "node:crypto";
import { dualWrite } from "@lockstep/publisher";
import { laneFreshness, replicaReads, type ReplicaReads } from "@lockstep/reads";
import { mysqlTarget } from "@lockstep/target-mysql";
import { postgresTarget } from "@lockstep/target-postgres";
import { eventually, type NodeProcess } from "@lockstep/testing";
import { expect } from "chai";
import { DataSource } from "typeorm";
import { runLockstep } from "../src/demo/lockstep-command.js";
import { type Customer, entityList, type ShopEntities, shopEntities } from "../src/index.js";
import { type Kind, Rig, type RigApp } from "./rig/rig.js";

const ways: readonly (readonly [source: Kind, target: Kind])[] = [
  ["postgres", "mariadb"],
  ["mariadb", "postgres"],
];

for (const [kind, targetKind] of ways) {
  describe(`reading from a target: ${kind} → ${targetKind}`, () => {
    let rig: Rig;
    let app: RigApp;
    let consumer: NodeProcess;
    let replica: DataSource;
    let replicaEntities: ShopEntities;
    let reads: ReplicaReads;

    before(async () => {
      rig = await Rig.open(kind, { reporting: targetKind });
      app = await rig.openApp({
        targets: [target(), postgresTarget({ name: "gone", url: "postgres://x@127.0.0.1:1/x" })],
      });
      consumer = await rig.startConsumer();
      await rig.untilRegistered();
      await app.shop.open(5, 5);
      await rig.untilConverged();
      replicaEntities = shopEntities(targetKind === "postgres" ? "postgres" : "mysql");
      replica = await new DataSource({
        type: targetKind,
        url: rig.targets["reporting"]!.url,
        entities: entityList(replicaEntities),
      }).initialize();
      reads = open();
    });
    after(async () => {
      await reads?.[Symbol.asyncDispose]();
      if (replica?.isInitialized) await replica.destroy();
      await consumer?.[Symbol.asyncDispose]();
      await app?.[Symbol.asyncDispose]();
      await rig?.[Symbol.asyncDispose]();
    });

    const target = () => {
      const { url } = rig.targets["reporting"]!;
      return targetKind === "postgres"
        ? postgresTarget({ name: "reporting", url })
        : mysqlTarget({ name: "reporting", url });
    };
    const open = (maxLagMs = 2_000) =>
      replicaReads(app.dataSource, {
        replicas: {
          reporting: { dataSource: replica, freshness: laneFreshness(app.lockstep, target()) },
        },
        maxLagMs,
        waitMs: 500,
      });
    const stateOf = (of = reads) => of.status().replicas["reporting"]!.state;
    const inRotation = (of = reads) =>
      eventually(async () => stateOf(of) === "in", { what: "the replica in rotation" });
    const add = async (name: string): Promise<string> => {
      const id = randomUUID();
      await app.dataSource
        .getRepository(app.entities.customer)
        .save({ id, name, email: `${id}@example.org`, loyaltyPoints: "0", active: true, preferences: null });
      return id;
    };
    const rename = (id: string, name: string) =>
      app.dataSource.getRepository(app.entities.customer).update({ id }, { name });
    const nameOf = (id: string, of = reads) =>
      of.read(async (manager) => {
        const entity = manager.connection === replica ? replicaEntities.customer : app.entities.customer;
        return (await manager.findOneBy(entity, { id }))?.name;
      });
    /** However long it takes. */
    const whenApplied = () => app.lockstep.whenApplied("reporting", { timeoutMs: 30_000 });
    const atReplica = async (id: string) =>
      (await replica.getRepository(replicaEntities.customer).findOneBy({ id }))?.name;

    it("a target that isn't seeded is waited for, and not read from until it is", async () => {
      await eventually(async () => stateOf() === "unseeded", { what: "the replica known as not seeded" });
      expect(reads.status().replicas["reporting"]!.reason).to.contain("REPLICA_UNSEEDED");
      const id = await add("older");
      expect(await whenApplied()).to.equal("applied");
      expect(await reads.request(() => nameOf(id))).to.equal("older");
      expect(reads.status()).to.have.nested.property("primary.reasons.unseeded", 1);
      const config = rig.config({ sources: { shop: { url: rig.source.url } } });
      const { code, lines } = await runLockstep(config, "sync", "full");
      expect(code, lines.join("\n")).to.equal(0);
      await inRotation();
    });

    it("whenApplied returns when the target has it", async () => {
      for (let i = 0; i < 20; i++) {
        const id = await add(`applied ${i}`);
        expect(await whenApplied()).to.equal("applied");
        expect(await atReplica(id)).to.equal(`applied ${i}`);
      }
    });

    it("whenApplied refuses a target that it doesn't know, and to wait inside a transaction", async () => {
      const code = (work: Promise<unknown>) =>
        work.then(
          () => "nothing",
          (error: unknown) => (error as { code: string }).code,
        );
      expect(await code(app.lockstep.whenApplied("other"))).to.equal("CONFIG_INVALID");
      const inside = (work: () => Promise<unknown>) => code(app.dataSource.transaction(work));
      expect(await inside(() => app.lockstep.whenApplied("reporting"))).to.equal("BARRIER_IN_TRANSACTION");
      expect(await inside(() => app.lockstep.barrier())).to.equal("BARRIER_IN_TRANSACTION");
    });

    it("refuses to read elsewhere inside a transaction, whose writes nobody else sees yet", async () => {
      const id = await add("as it was");
      const tries = [() => nameOf(id), () => reads.token()] as const;
      for (const work of tries) {
        const inside = reads.request(() =>
          app.dataSource.transaction(async (manager) => {
            await manager.update(app.entities.customer, { id }, { name: "not committed" });
            await work();
          }),
        );
        const error: unknown = await inside.catch((thrown: unknown) => thrown);
        expect(error).to.have.property("code", "READ_IN_TRANSACTION");
      }
      expect(await whenApplied()).to.equal("applied");
      expect(await atReplica(id)).to.equal("as it was");
    });

    it("whenApplied gives up in time on a target that can't be asked", async () => {
      await add("for nobody");
      const began = performance.now();
      expect(await app.lockstep.whenApplied("gone", { timeoutMs: 100 })).to.equal("timed-out");
      // Less than it is given when nothing is said.
      expect(performance.now() - began).to.be.lessThan(4_500);
    });

    it("a request reads what it wrote, from the replica", async () => {
      await using patient = open(600_000);
      await inRotation(patient);
      await patient.request(async () => {
        const id = await add("0");
        for (let i = 1; i <= 50; i++) {
          await rename(id, String(i));
          expect(await nameOf(id, patient)).to.equal(String(i));
        }
      });
      expect(patient.status().replicas["reporting"]!.reads).to.be.greaterThan(25);
    });

    it("requests side by side read what they wrote, and never an older state", async () => {
      const oneRequest = (n: number) =>
        reads.request(async () => {
          const id = await add(`${n}`);
          for (let i = 0; i < 10; i++) {
            await app.dataSource.transaction((manager) =>
              manager.update(app.entities.customer, { id }, { name: `${n}.${i}` }),
            );
            expect(await nameOf(id)).to.equal(`${n}.${i}`);
            expect(await nameOf(id)).to.equal(`${n}.${i}`);
          }
        });
      await Promise.all(Array.from({ length: 10 }, (_, n) => oneRequest(n)));
    });

    it("a token carries to another request what was written", async () => {
      let id = "";
      const token = await reads.request(async () => {
        id = await add("by token");
        return reads.token();
      });
      await using other = open();
      await inRotation(other);
      expect(await other.request(() => nameOf(id, other), { token })).to.equal("by token");
      expect(() => other.request(async () => 0, { token: "1.x" })).to.throw("READ_TOKEN_INVALID");
      const strange = `1.${Buffer.from(JSON.stringify({ "lane:other": "1-1 x" })).toString("base64url")}`;
      expect(() => other.request(async () => 0, { token: strange })).to.throw("another source");
    });

    it("what was read from the primary isn't read older from a replica", async () => {
      const id = await add("seen old");
      expect(await whenApplied()).to.equal("applied");
      await using patient = open(600_000);
      await inRotation(patient);
      await rig.cutOff("reporting");
      try {
        await rename(id, "seen new");
        await patient.request(async () => {
          expect(await nameOf(id, patient)).to.equal("seen old");
          const now = patient.read((manager) => manager.findOneByOrFail(app.entities.customer, { id }), {
            primary: true,
          });
          expect((await now).name).to.equal("seen new");
          expect(await nameOf(id, patient)).to.equal("seen new");
        });
        expect(patient.status().primary.reasons).to.deep.equal({ asked: 1, behind: 1 });
      } finally {
        await rig.reconnect("reporting");
      }
    });

    it("refuses writes, locks and transactions, wherever a read goes", async () => {
      const tries: readonly ((manager: DataSource["manager"]) => Promise<unknown>)[] = [
        (manager) => manager.update(replicaEntities.customer, { active: true }, { name: "x" }),
        (manager) => manager.query("DELETE FROM customers"),
        (manager) => manager.transaction(async () => undefined),
        (manager) => manager.query("SELECT 1; DELETE FROM customers"),
      ];
      for (const work of tries) {
        for (const primary of [false, true]) {
          const error: unknown = await reads.read(work, { primary }).catch((thrown: unknown) => thrown);
          expect(error).to.have.property("code", "REPLICA_READ_ONLY");
        }
      }
    });

    it("while the target is cut off, saves go on, waiting gives up, and reads go to the primary; and back", async () => {
      await using patient = open(600_000);
      await inRotation(patient);
      await rig.cutOff("reporting");
      const id = await add("cut");
      expect(await app.lockstep.whenApplied("reporting", { timeoutMs: 200 })).to.equal("timed-out");
      await patient.request(async () => {
        await rename(id, "cut too");
        expect(await nameOf(id, patient)).to.equal("cut too");
      });
      expect(patient.status().primary.reasons).to.deep.equal({ behind: 1 });
      await eventually(async () => stateOf() === "lagging", { what: "the replica out of rotation" });
      await reads.request(async () => {
        await rename(id, "cut still");
        expect(await nameOf(id)).to.equal("cut still");
      });
      expect(reads.status().primary.reasons).to.include.keys("lagging");
      await rig.reconnect("reporting");
      await inRotation();
      expect(await whenApplied()).to.equal("applied");
      expect(await atReplica(id)).to.equal("cut still");
    });

    it("an entity of a replica that was behind writes nothing stale back", async () => {
      const id = await add("old");
      expect(await whenApplied()).to.equal("applied");
      await using patient = open(600_000);
      await inRotation(patient);
      await rig.cutOff("reporting");
      try {
        await rename(id, "new");
        const stale = await patient.read((manager) =>
          manager.findOneByOrFail<Customer>(
            manager.connection === replica ? replicaEntities.customer : app.entities.customer,
            { id },
          ),
        );
        expect(stale.name).to.equal("old");
        stale.active = false;
        const save = (entity: Customer) => app.dataSource.getRepository(app.entities.customer).save(entity);
        const error: unknown = await save(stale).catch((thrown: unknown) => thrown);
        expect(error).to.have.property("code", "STALE_ENTITY");
        expect(await nameOf(id, patient)).to.equal("old");
        await rename(id, "old");
        await save(stale);
      } finally {
        await rig.reconnect("reporting");
      }
      await rig.untilConverged();
      const [row] = await app.dataSource.getRepository(app.entities.customer).findBy({ id });
      expect(row).to.include({ name: "old", active: false });
    });

    it("a repository that writes both: its saves return when the target has them, or late", async () => {
      const late: string[] = [];
      const within = (timeoutMs: number) =>
        dualWrite(app.lockstep, {
          targets: ["reporting"],
          timeoutMs,
          onTimeout: ({ target }) => void late.push(target),
        }).repository(app.dataSource.getRepository(app.entities.customer));
      const id = await add("single");
      await within(30_000).update({ id }, { name: "dual" });
      expect(await atReplica(id)).to.equal("dual");
      expect(late).to.deep.equal([]);
      await rig.cutOff("reporting");
      try {
        expect(await within(500).update({ id }, { name: "dual, late" })).to.have.property("affected", 1);
        expect(late).to.deep.equal(["reporting"]);
        const strict = dualWrite(app.lockstep, { targets: ["reporting"], timeoutMs: 50, onTimeout: "throw" });
        const error: unknown = await strict
          .run(() => rename(id, "dual, thrown"))
          .catch((thrown: unknown) => thrown);
        expect(error).to.have.property("code", "DUAL_WRITE_LATE");
      } finally {
        await rig.reconnect("reporting");
      }
      await rig.untilConverged();
      expect(await atReplica(id)).to.equal("dual, thrown");
    });

    it("the relay fails over to another process: the wait ends all the same", async () => {
      await reads[Symbol.asyncDispose]();
      const before = app;
      app = await rig.openApp({ targets: [target()] });
      let ended: Promise<void> | undefined;
      for (let i = 0; i < 30; i++) {
        const id = await add(`over ${i}`);
        if (i === 5) ended = Promise.resolve(before[Symbol.asyncDispose]());
        expect(await whenApplied()).to.equal("applied");
        expect(await atReplica(id)).to.equal(`over ${i}`);
      }
      await ended;
    });

    it("all of Redis lost: the wait ends all the same", async () => {
      await rig.flushRedis();
      await add("after the loss");
      expect(await whenApplied()).to.equal("applied");
    });
  });
}
