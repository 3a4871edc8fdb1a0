import { eventually, type RunningServer, startMariaDb, startPostgres } from "@lockstep/testing";
import { expect } from "chai";
import { DataSource, EntitySchema } from "typeorm";
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

interface Way {
  readonly name: string;
  open(): Promise<readonly [primary: RunningServer, replica: RunningServer]>;
  freshness(primary: DataSource, replica: DataSource): Freshness;
  /** Stops the replica from following, and lets it go on. */
  readonly stop: string;
  readonly goOn: string;
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
  },
];

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
  describe(`reading from ${way.name}`, function () {
    this.timeout(60_000);
    let servers: readonly RunningServer[] = [];
    let primary: DataSource;
    let replica: DataSource;
    let reads: ReplicaReads;

    before(async () => {
      servers = await way.open();
      const type = servers[0]!.kind === "postgres" ? "postgres" : "mariadb";
      const connect = ({ url }: RunningServer, synchronize: boolean) =>
        new DataSource({ type, url, entities: [notes], synchronize }).initialize();
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
    const textOf = (id: number) =>
      reads.read(async (manager) => (await manager.findOneBy(notes, { id }))?.text);

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
  });
}
