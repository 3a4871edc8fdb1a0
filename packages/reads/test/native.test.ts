import { eventually, type RunningServer, startMariaDb, startPostgres, startProxy } from "@lockstep/testing";
import { expect } from "chai";
import type * as current from "typeorm";
import { DataSource, EntitySchema } from "typeorm";
import * as oldest from "typeorm-0.3.20";
import * as lastOfZero from "typeorm-0.3.31";
import { askMaster } from "../src/freshness/ask-master.js";
import { isGone } from "../src/gone.js";
import {
  type Freshness,
  mysqlReplica,
  postgresStandby,
  replicaReads,
  type ReplicaReads,
} from "../src/index.js";

interface Note {
  id: number;
  text: string;
}

const notes = new EntitySchema<Note>({
  name: "note",
  columns: { id: { type: Number, primary: true }, text: { type: String } },
});

/** What an application's transformer makes. */
class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

interface Paper {
  id: number;
  text: string;
  scan: Buffer | null;
  price: Money;
  meta: { readonly pages: number };
  note: Note | null;
  lazy: Promise<Note | null>;
}

const papers = new EntitySchema<Paper>({
  name: "paper",
  columns: {
    id: { type: Number, primary: true },
    text: { type: String },
    scan: { type: "simple-json", nullable: true, transformer: bytes() },
    price: {
      type: "int",
      transformer: { to: (money: Money) => money.cents, from: (cents: number) => new Money(cents) },
    },
    meta: { type: "simple-json" },
  },
  relations: {
    note: { type: "many-to-one", target: "note", nullable: true, eager: true },
    lazy: { type: "many-to-one", target: "note", nullable: true, lazy: true },
  },
});

function bytes() {
  return {
    to: (value: Buffer | null) => value?.toString("hex") ?? null,
    from: (value: string | null) => (value === null ? null : Buffer.from(value, "hex")),
  };
}

const olderVersions: Readonly<Record<string, typeof current>> = {
  "0.3.20": oldest as unknown as typeof current,
  "0.3.31": lastOfZero as unknown as typeof current,
};

interface Way {
  readonly name: string;
  open(): Promise<readonly [primary: RunningServer, replica: RunningServer]>;
  freshness(primary: DataSource, replica: DataSource): Freshness;
  /** Stops the replica from following, and lets it go on. */
  readonly stop: string;
  readonly goOn: string;
  /** An update of note 1 that takes as long as somebody holds a lock; who takes it, who lets go of it, and who finds the update waiting. */
  readonly slowly: {
    readonly update: string;
    readonly hold: string;
    readonly letGo: string;
    readonly waits: string;
  };
}

const ways: readonly Way[] = [
  {
    name: "a standby of PostgreSQL",
    async open() {
      const primary = await startPostgres();
      return [primary, await startPostgres({ standbyOf: primary.url })];
    },
    freshness: postgresStandby,
    stop: "SELECT pg_wal_replay_pause()",
    goOn: "SELECT pg_wal_replay_resume()",
    slowly: {
      update:
        "WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock(7)) UPDATE note SET text = 'slowly' FROM held WHERE id = 1",
      hold: "SELECT pg_advisory_lock(7)",
      letGo: "SELECT pg_advisory_unlock(7)",
      waits: "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory'",
    },
  },
  {
    name: "a replica of MariaDB",
    async open() {
      const [primary, replica] = await Promise.all([startMariaDb(), startMariaDb()]);
      const begun = await ask(primary, "SELECT @@GLOBAL.gtid_binlog_pos AS gtids");
      await ask(replica, `SET GLOBAL gtid_slave_pos = '${String(begun["gtids"])}'`);
      await ask(
        replica,
        `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${primary.port}, MASTER_USER = 'root', MASTER_USE_GTID = slave_pos`,
      );
      await ask(replica, "START SLAVE");
      return [primary, replica];
    },
    freshness: mysqlReplica,
    stop: "STOP SLAVE SQL_THREAD",
    goOn: "START SLAVE SQL_THREAD",
    slowly: {
      update:
        "UPDATE note SET text = IF(GET_LOCK('held', 60) = 1 AND RELEASE_LOCK('held') = 1, 'slowly', '') WHERE id = 1",
      hold: "SELECT GET_LOCK('held', 60)",
      letGo: "SELECT RELEASE_LOCK('held')",
      waits: "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'",
    },
  },
];

function tokenOf(space: string, mark: string): string {
  return `1.${Buffer.from(JSON.stringify({ [space]: mark })).toString("base64url")}`;
}

async function ask({ url }: RunningServer, sql: string): Promise<Record<string, unknown>> {
  const dataSource = await new DataSource({ type: "mariadb", url }).initialize();
  try {
    const rows = await dataSource.query<Record<string, unknown>[]>(sql);
    return rows[0] ?? {};
  } finally {
    await dataSource.destroy();
  }
}

for (const way of ways) {
  describe(`reading from ${way.name}`, () => {
    let servers: readonly RunningServer[] = [];
    let primary: DataSource;
    let replica: DataSource;
    let reads: ReplicaReads;

    before(async () => {
      servers = await way.open();
      const type = servers[0]!.kind === "postgres" ? "postgres" : "mariadb";
      const connect = ({ url }: RunningServer, synchronize: boolean) =>
        new DataSource({ type, url, entities: [notes, papers], synchronize }).initialize();
      primary = await connect(servers[0]!, true);
      replica = await connect(servers[1]!, false);
      reads = replicaReads(primary, {
        replicas: { near: { dataSource: replica, freshness: way.freshness(primary, replica) } },
        maxLagMs: 1_000,
        waitMs: 500,
      });
      await untilIn();
    });
    after(async () => {
      await reads?.[Symbol.asyncDispose]();
      for (const one of [primary, replica]) if (one?.isInitialized) await one.destroy();
      for (const server of servers) await server[Symbol.asyncDispose]();
    });

    const untilIn = () =>
      eventually(async () => reads.status().replicas["near"]!.state === "in", {
        what: "the replica in rotation",
      });
    const textOf = (id: number, of = reads) =>
      of.read(async (manager) => (await manager.findOneBy(notes, { id }))?.text);

    it("a request reads what it wrote, from the replica", async () => {
      const before = reads.status().replicas["near"]!.reads;
      await reads.request(async () => {
        await primary.getRepository(notes).save({ id: 1, text: "0" });
        for (let i = 1; i <= 50; i++) {
          await primary.getRepository(notes).update({ id: 1 }, { text: String(i) });
          expect(await textOf(1)).to.equal(String(i));
        }
      });
      expect(reads.status().replicas["near"]!.reads - before).to.be.greaterThan(25);
    });

    /** Runs `work` while the replica shows what it shows now, and is in rotation all the same. */
    const standingStill = async (
      others: Readonly<Record<string, { dataSource: DataSource; freshness: Freshness }>>,
      work: (patient: ReplicaReads) => Promise<void>,
      at = primary,
    ): Promise<void> => {
      const patient = replicaReads(at, {
        replicas: { near: { dataSource: replica, freshness: way.freshness(primary, replica) }, ...others },
        maxLagMs: 600_000,
        waitMs: 100,
      });
      try {
        await eventually(
          async () => Object.values(patient.status().replicas).every(({ state }) => state === "in"),
          { what: "all in rotation" },
        );
        await replica.query(way.stop);
        await work(patient);
      } finally {
        await patient[Symbol.asyncDispose]();
        await replica.query(way.goOn);
      }
    };

    it("what reads side by side have shown isn't read older afterwards", async () => {
      await primary.getRepository(notes).save({ id: 3, text: "older" });
      const other = await new DataSource({ ...primary.options, synchronize: false }).initialize();
      const freshness: Freshness = {
        space: "itself",
        mark: async () => "",
        has: async () => true,
        close: async () => undefined,
      };
      try {
        await standingStill({ fresh: { dataSource: other, freshness } }, async (patient) => {
          await primary.getRepository(notes).update({ id: 3 }, { text: "newer" });
          const read = () => patient.read((manager) => manager.findOneByOrFail(notes, { id: 3 }));
          for (let i = 0; i < 2; i++) {
            await patient.request(async () => {
              const shown = await Promise.all([read(), read()]);
              if (shown.some(({ text }) => text === "newer")) expect((await read()).text).to.equal("newer");
            });
          }
          await patient.request(async () => {
            const seen = patient.read((manager) => manager.query("SELECT 1"), { primary: true });
            await Promise.all([seen, read()]);
            expect((await read()).text).to.equal("newer");
          });
        });
      } finally {
        await other.destroy();
      }
    });

    it("a request inside of another one sees what that wrote, and the other way round, with a token too", async () => {
      const token = await reads.request(async () => {
        await primary.getRepository(notes).save({ id: 4, text: "before" });
        return reads.token();
      });
      await standingStill({}, (patient) =>
        patient.request(async () => {
          const shown = () =>
            patient.read(async (manager) => (await manager.findOneBy(notes, { id: 4 }))?.text);
          const write = (text: string) => primary.getRepository(notes).update({ id: 4 }, { text });
          for (const given of [undefined, token]) {
            await write("outer");
            await patient.request(
              async () => {
                expect(await shown()).to.equal("outer");
                await write("inner");
              },
              { token: given },
            );
            expect(await shown()).to.equal("inner");
          }
        }),
      );
    });

    it("beside TypeORM's own replication option: its slaves aren't asked, and its writes are seen", async () => {
      const [master, slave] = servers.map(({ url }) => ({ url })) as [{ url: string }, { url: string }];
      const type = primary.options.type as "postgres";
      const both = await new DataSource({
        type,
        entities: [notes, papers],
        replication: { master, slaves: [slave] },
      }).initialize();
      try {
        await primary.getRepository(notes).save({ id: 7, text: "before" });
        const before = await way.freshness(primary, replica).mark();
        await eventually(() => way.freshness(primary, replica).has(before), { what: "the note replicated" });
        await standingStill(
          {},
          (patient) =>
            patient.request(async () => {
              await both.getRepository(notes).update({ id: 7 }, { text: "after" });
              expect((await both.getRepository(notes).findOneByOrFail({ id: 7 })).text).to.equal("before");
              expect(await textOf(7, patient)).to.equal("after");
            }),
          both,
        );
      } finally {
        await both.destroy();
      }
    });

    it("one whose server is down at the start is left alone, and comes in when it is there", async () => {
      await using proxy = await startProxy({ port: servers[1]!.port });
      await proxy.cut();
      const { type } = replica.options as { type: "postgres" };
      const late = new DataSource({ type, url: proxy.url(servers[1]!.url), entities: [notes, papers] });
      await using some = replicaReads(primary, {
        replicas: { late: { dataSource: late, freshness: way.freshness(primary, late) } },
        maxLagMs: 200,
      });
      expect(await textOf(1, some)).to.be.a("string");
      await eventually(async () => some.status().replicas["late"]!.reason, { what: "the reason" });
      expect(some.status().replicas["late"]!.state).to.equal("down");
      await proxy.heal();
      await eventually(async () => some.status().replicas["late"]!.state === "in", { what: "in rotation" });
      const isReadFrom = async () => {
        expect(await textOf(1, some)).to.be.a("string");
        return some.status().replicas["late"]!.reads > 0;
      };
      await eventually(isReadFrom, { what: "a read from it" });
      await late.destroy();
    });

    for (const [version, typeorm] of Object.entries(olderVersions)) {
      it(`a read beside a write takes nothing from the reads behind it, with TypeORM ${version}`, async () => {
        await primary.getRepository(notes).save({ id: 1, text: "before" });
        const { type, url } = primary.options as { type: "postgres"; url: string };
        const older = await new typeorm.DataSource({ type, url }).initialize();
        const holder = primary.createQueryRunner();
        const { update, hold, letGo, waits } = way.slowly;
        const isUnderWay = async () => (await primary.query<unknown[]>(waits)).length > 0;
        try {
          await holder.query(hold);
          await standingStill(
            {},
            (patient) =>
              patient.request(async () => {
                const shown = () =>
                  patient.read((manager) => manager.query("SELECT text FROM note WHERE id = 1"));
                const written = older.query(update);
                await eventually(isUnderWay, { what: "the write to be under way" });
                expect(await shown()).to.deep.equal([{ text: "before" }]);
                await holder.query(letGo);
                await written;
                expect(await shown()).to.deep.equal([{ text: "slowly" }]);
              }),
            older,
          );
        } finally {
          await holder.release();
          await older.destroy();
        }
      });
    }

    it("an entity that it loaded writes no relation, Buffer or object of an application's back as they were", async () => {
      const first = await primary.getRepository(notes).save({ id: 11, text: "first" });
      const second = await primary.getRepository(notes).save({ id: 12, text: "second" });
      const rows = primary.getRepository(papers);
      const paper = {
        id: 1,
        text: "a",
        scan: Buffer.from("scan"),
        price: new Money(1),
        meta: { pages: 1 },
        note: first,
      };
      const changes: readonly Partial<Paper>[] = [
        { scan: Buffer.from("another") },
        { price: new Money(2) },
        { meta: { pages: 2 } },
        { note: second },
        { note: null },
      ];
      for (const id of changes.keys()) await rows.save({ ...paper, id });
      const near = replicaReads(primary, {
        replicas: { near: { dataSource: replica, freshness: way.freshness(primary, replica) } },
        maxLagMs: 600_000,
      });
      try {
        await eventually(async () => near.status().replicas["near"]!.state === "in", { what: "in rotation" });
        for (const [id, change] of changes.entries()) {
          const stale = await near.read((manager) => manager.findOneByOrFail(papers, { id }));
          await rows.save({ id, ...change });
          stale.text = "b";
          const error: unknown = await rows.save(stale).catch((thrown: unknown) => thrown);
          expect(error, Object.keys(change)[0]).to.have.property("code", "STALE_ENTITY");
          expect(error).to.have.property("message").that.contains(Object.keys(change)[0]);
        }
        const mine = await near.read((manager) => manager.findOneByOrFail(papers, { id: 0 }));
        const { text } = mine;
        for (const set of ["b", text]) await rows.save(Object.assign(mine, { text: set }));
        expect(await rows.findOneByOrFail({ id: 0 })).to.include({ text });
      } finally {
        await near[Symbol.asyncDispose]();
      }
    });

    it("a token names what can be told, and fails when nothing can", async () => {
      const silent = (space: string): Freshness => ({
        space,
        mark: () => Promise.reject(new Error("silent")),
        has: async () => false,
        close: async () => undefined,
      });
      const tokenWith = async (...freshness: readonly Freshness[]) => {
        const named = freshness.map((one, n) => [`replica ${n}`, { dataSource: replica, freshness: one }]);
        await using some = replicaReads(primary, { replicas: Object.fromEntries(named) as never });
        return await some.request(async () => {
          some.wrote();
          return some.token();
        });
      };
      const near = way.freshness(primary, replica);
      const token = await tokenWith(silent("a"), near, silent("b"));
      expect(token).to.match(/^1\./);
      const error: unknown = await tokenWith(silent("a")).catch((thrown: unknown) => thrown);
      expect(error).to.have.property("message", "silent");
    });

    it("a token of another source is refused", async () => {
      const { space, mark } = way.freshness(primary, replica);
      const place = await mark();
      const read = async (token: string) => reads.request(() => textOf(2), { token });
      const foreign =
        space === "postgres"
          ? tokenOf(space, place.replace(/ \d+ /, " 1234 "))
          : tokenOf("mysql:another", place);
      const error: unknown = await read(foreign).catch((thrown: unknown) => thrown);
      expect(error).to.have.property("code", "READ_TOKEN_INVALID");
    });

    it("a place of another history, or of a server that the primary never was, isn't believed, however low it is", async () => {
      await primary.getRepository(notes).save({ id: 5, text: "here" });
      const freshness = way.freshness(primary, replica);
      const place = await freshness.mark();
      await eventually(() => freshness.has(place), { what: "the place reached" });
      const another = place.replace(/ [0-9a-f]+$/, (end) => (end.length > 20 ? ` ${"0".repeat(40)}` : " 7"));
      expect(another).not.to.equal(place);
      expect(await freshness.has(another)).to.equal(false);
      const token = tokenOf(freshness.space, another);
      await standingStill({}, async (patient) => {
        expect(await patient.request(() => textOf(5, patient), { token })).to.equal("here");
        expect(patient.status().primary.reasons).to.deep.equal({ behind: 1 });
      });
    });

    it("one that doesn't answer isn't waited for, neither by a question nor at the end", async () => {
      await using proxy = await startProxy({ port: servers[1]!.port });
      const { type } = replica.options as { type: "postgres" };
      const open = () => new DataSource({ type, url: proxy.url(servers[1]!.url) }).initialize();
      const [frozen, asked] = await Promise.all([open(), open()]);
      const waiting = replicaReads(primary, {
        replicas: { near: { dataSource: frozen, freshness: way.freshness(primary, frozen) } },
        maxLagMs: 200,
      });
      await eventually(async () => waiting.status().replicas["near"]!.state === "in", {
        what: "in rotation",
      });
      proxy.blackHole();
      await eventually(async () => waiting.status().replicas["near"]!.state === "lagging", {
        what: "the silence noticed",
      });
      const began = performance.now();
      const error: unknown = await askMaster(asked, "SELECT 1 AS one", 100).catch(
        (thrown: unknown) => thrown,
      );
      expect(isGone(error), String(error)).to.equal(true);
      await waiting[Symbol.asyncDispose]();
      // Less than any question is given when nothing is said.
      expect(performance.now() - began).to.be.lessThan(5_000);
      await proxy.heal();
      expect(await askMaster(asked, "SELECT 1 AS one")).to.deep.equal({ one: "1" });
      await Promise.all([frozen.destroy(), asked.destroy()]);
    });

    it("one that no longer follows is waited for, then passed by, then out of rotation; and back", async () => {
      await replica.query(way.stop);
      await reads.request(async () => {
        await primary.getRepository(notes).save({ id: 2, text: "behind" });
        expect(await textOf(2)).to.equal("behind");
      });
      expect(reads.status().primary.reasons).to.include.keys("behind");
      await eventually(async () => reads.status().replicas["near"]!.state === "lagging", {
        what: "lag noticed",
      });
      await replica.query(way.goOn);
      await untilIn();
      expect(await textOf(2)).to.equal("behind");
    });

    it("one that is gone is read from no more, without an error; and back", async () => {
      await servers[1]!.kill();
      expect(await textOf(2)).to.equal("behind");
      await eventually(async () => reads.status().replicas["near"]!.state === "down", {
        what: "the death noticed",
      });
      await servers[1]!.start();
      await untilIn();
      const token = await reads.request(async () => {
        await textOf(2);
        return reads.token();
      });
      expect(await reads.request(() => textOf(2), { token })).to.equal("behind");
    });

    it("a server that follows nobody is never read from", async () => {
      const other = replicaReads(primary, {
        replicas: { itself: { dataSource: replica, freshness: way.freshness(replica, primary) } },
      });
      try {
        expect(await other.read((manager) => manager.countBy(notes, { id: 2 }))).to.equal(1);
        expect(other.status().replicas["itself"]).to.include({ reads: 0 });
      } finally {
        await other[Symbol.asyncDispose]();
      }
    });

    if (way.freshness === postgresStandby) {
      it("a role that may not ask whose log it is compares places all the same", async () => {
        for (const sql of [
          "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC",
          "CREATE ROLE plain LOGIN PASSWORD 'plain'",
        ])
          await primary.query(sql);
        await eventually(
          () => way.freshness(primary, replica).mark().then(way.freshness(primary, replica).has),
          {
            what: "the role replayed",
          },
        );
        const open = (server: RunningServer) => {
          const url = Object.assign(new URL(server.url), { username: "plain", password: "plain" }).href;
          return new DataSource({ type: "postgres", url }).initialize();
        };
        const [from, to] = (await Promise.all(servers.map(open))) as [DataSource, DataSource];
        const freshness = postgresStandby(from, to);
        const mark = await freshness.mark();
        expect(mark).not.to.contain(" ");
        await eventually(() => freshness.has(mark), { what: "the mark reached" });
        for (const one of [from, to]) await one.destroy();
      });

      it("one that was promoted is no replica any more, and its places are of another timeline", async () => {
        const before = await postgresStandby(primary, replica).mark();
        await replica.query("SELECT pg_promote()");
        await eventually(async () => reads.status().replicas["near"]!.state === "down", { what: "out" });
        expect(reads.status().replicas["near"]!.reason).to.contain("isn't a standby");
        const [old, promoted] = [before, await postgresStandby(replica, primary).mark()].map((mark) =>
          mark.split(" "),
        );
        expect([old![1], old![2], promoted![2]]).to.deep.equal([promoted![1], "1", "2"]);
      });
    }
  });
}
