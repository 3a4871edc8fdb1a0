import { randomUUID } from "node:crypto";
import { type ChangeEvent, isLockstepError, silentLogger } from "@lockstep/core";
import { redisStreamReader } from "@lockstep/stream";
import { eventually, freshMariaDb, freshPostgres, freshRedis, type FreshDatabase } from "@lockstep/testing";
import { expect } from "chai";
import { Queue } from "bullmq";
import { DataSource, EntitySchema } from "typeorm";
import { lockstepMigration, publishChanges, type Publisher, type PublishOptions } from "../src/index.js";

interface Person {
  id: number;
  name: string;
}

const person = new EntitySchema<Person>({
  name: "Person",
  columns: { id: { type: "int", primary: true, generated: true }, name: { type: "text" } },
});
const animal = new EntitySchema<Person>({
  name: "Animal",
  columns: { id: { type: "int", primary: true }, name: { type: "text" } },
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe("publishChanges", () => {
  let database: FreshDatabase;
  let redis: FreshDatabase;
  let dataSource: DataSource;
  const publishers: Publisher[] = [];

  beforeEach(async () => {
    [database, redis] = await Promise.all([freshPostgres(), freshRedis()]);
    dataSource = newDataSource();
  });
  afterEach(async () => {
    for (const publisher of publishers.splice(0)) await publisher.close();
    if (dataSource.isInitialized) await dataSource.destroy();
    await Promise.all([database.drop(), redis.drop()]);
  });

  function newDataSource(options: object = {}): DataSource {
    return new DataSource({
      type: "postgres",
      url: database.url,
      entities: [person, animal],
      synchronize: true,
      ...options,
    });
  }

  async function publish(options: Partial<PublishOptions> = {}, of = dataSource): Promise<Publisher> {
    const publisher = await publishChanges(of, {
      redis: redis.url,
      source: "shop",
      logger: silent,
      ...options,
    });
    publishers.push(publisher);
    return publisher;
  }

  /** Joins the stream as a target. Gives what reads the events from there on, when there are as many as wanted. */
  async function follow(source = "shop") {
    const reader = redisStreamReader({ redis: redis.url, source });
    const target = { id: randomUUID(), name: "test", address: "nowhere", partition: 0 };
    await reader.announce(target);
    const { start } = await eventually(async () => reader.confirmation(target));
    return async (events: number): Promise<readonly ChangeEvent[]> => {
      const read = async () => {
        const entries = await reader.read({ partition: 0 }, start, { maxEntries: 100, blockMs: 50 });
        const found = entries.flatMap((entry) => entry.events);
        return found.length >= events && found;
      };
      return eventually(read).finally(() => reader.close());
    };
  }

  const outboxRows = async () => {
    const [row] = (await dataSource.query("SELECT count(*)::int AS n FROM lockstep.outbox")) as {
      n: number;
    }[];
    return row?.n;
  };

  it("refuses a capture that the database hasn't got, and can be called again", async () => {
    await dataSource.initialize();
    const error: unknown = await publish({ capture: "binlog" }).catch((error: unknown) => error);
    expect(isLockstepError(error, "CONFIG_INVALID")).to.equal(true);
    expect((await publish()).status().state).to.equal("capturing");
  });

  it("a save reaches the stream", async () => {
    await dataSource.initialize();
    const publisher = await publish();
    expect(publisher.status().state).to.equal("capturing");
    const published = await follow();
    await dataSource.manager.save(person, { name: "ada" });
    expect((await published(1)).map(({ op, key, image }) => [op, key, image])).to.deep.equal([
      ["insert", '["1"]', '["1","ada"]'],
    ]);
  });

  for (const type of ["mariadb", "mysql"] as const) {
    it(`a save reaches the stream: ${type}`, async () => {
      const mariadb = await freshMariaDb();
      const other = new DataSource({ type, url: mariadb.url, entities: [person], synchronize: true });
      try {
        await other.initialize();
        // One with names of its own, as any may have.
        await publish(type === "mysql" ? { outbox: { prefix: "sync_", table: "order_changes" } } : {}, other);
        const published = await follow();
        await other.manager.save(person, { name: "ada" });
        expect((await published(1)).map(({ op, key, image }) => [op, key, image])).to.deep.equal([
          ["insert", '["1"]', '["1","ada"]'],
        ]);
        const rows: unknown[] = await other.query(
          `SELECT id FROM ${type === "mysql" ? "order_changes" : "lockstep_outbox"}`,
        );
        expect(rows).to.have.length(1);
      } finally {
        for (const publisher of publishers.splice(0)) await publisher.uninstall({ tables: true });
        await other.destroy();
        await mariadb.drop();
      }
    });
  }

  for (const capture of ["trigger", "wal"] as const)
    describe(`capture: ${capture}`, () => {
      const seenByTheDatabase: Partial<PublishOptions> = { capture, captureTables: ["ledger"] };
      beforeEach(async () => {
        await dataSource.initialize();
        await dataSource.query("CREATE TABLE ledger (id int PRIMARY KEY, v text)");
      });

      it("raw SQL and tables without an entity reach the stream, and uninstall takes everything away", async () => {
        const publisher = await publish(seenByTheDatabase);
        const published = await follow();
        await dataSource.query("INSERT INTO person (name) VALUES ('ada')");
        await dataSource.query("INSERT INTO ledger VALUES (7, 'x')");
        expect((await published(2)).map(({ op, key, image }) => [op, key, image])).to.deep.equal([
          ["insert", '["1"]', '["1","ada"]'],
          ["insert", '["7"]', '["7","x"]'],
        ]);
        await publisher.uninstall({ tables: true });
        await dataSource.query("INSERT INTO ledger VALUES (8, 'y')");
        const left = "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()";
        expect(await dataSource.query(left)).to.deep.equal([]);
      });

      it("uninstall gives up where a transaction stays open, names it, and may be called again", async () => {
        const publisher = await publish(seenByTheDatabase);
        const waitFor = (lockTimeout: string) =>
          Promise.all(
            [1, 2, 3].map(() =>
              dataSource.query(`SELECT set_config('lock_timeout', '${lockTimeout}', false), pg_sleep(0.05)`),
            ),
          );
        await waitFor("200ms");
        const runner = dataSource.createQueryRunner();
        await runner.startTransaction();
        await runner.query("INSERT INTO ledger VALUES (9, 'z')");
        const [{ pid }] = (await runner.query("SELECT pg_backend_pid() AS pid")) as [{ pid: number }];
        const error = await publisher.uninstall({ tables: true }).catch((refused: unknown) => refused);
        expect(isLockstepError(error, "CAPTURE_INSTALL_WAITS"), String(error)).to.equal(true);
        expect(String(error)).to.contain(`pid ${pid} `);
        await runner.commitTransaction();
        await runner.release();
        await waitFor("0");
        await publisher.uninstall({ tables: true });
        const left = "SELECT to_regclass('lockstep.outbox') AS outbox";
        expect(await dataSource.query(left)).to.deep.equal([{ outbox: null }]);
      });

      it('tables: "migration" refuses to start without them', async () => {
        await (await publish({ relay: false })).close();
        const error = await publish({ ...seenByTheDatabase, tables: "migration" }).catch(
          (error: unknown) => error,
        );
        expect(isLockstepError(error, "CAPTURE_NOT_INSTALLED")).to.equal(true);
        expect((error as Error).message)
          .to.contain("public.person")
          .and.contain("public.ledger");
      });

      it("a table that isn't there is refused where it is named, and said aloud where an entity has it", async () => {
        const error = await publish({ capture, captureTables: ["legder"] }).catch((error: unknown) => error);
        expect(isLockstepError(error, "ENTITY_UNKNOWN")).to.equal(true);
        expect(String(error)).to.contain("legder");
        await dataSource.query("DROP TABLE person");
        const said: object[] = [];
        const logger = { ...silentLogger, warn: (fields: object) => void said.push(fields) };
        await publish({ ...seenByTheDatabase, logger });
        expect(said).to.deep.include({ tables: ["person"] });
      });

      it("a table without a primary key is refused with what to do", async () => {
        await dataSource.query("CREATE TABLE heap (v text)");
        const error = await publish({ capture, captureTables: ["heap"] }).catch((error: unknown) => error);
        expect(isLockstepError(error, "TABLE_WITHOUT_PRIMARY_KEY")).to.equal(true);
      });
    });

  describe("by triggers", () => {
    beforeEach(async () => void (await dataSource.initialize()));

    it("a source that targets follow is captured in one way, as it is kept there", async () => {
      await (await publish({ relay: false })).close();
      await (await publish({ capture: "trigger", relay: false })).close();
      await dataSource.query(
        "INSERT INTO lockstep.target (id, partition, name, address, tick, n) VALUES (gen_random_uuid(), 0, 't', 't', 0, 0)",
      );
      const error = await publish({ relay: false }).catch((error: unknown) => error);
      expect(isLockstepError(error, "CAPTURE_CHANGED")).to.equal(true);
      await dataSource.query("UPDATE lockstep.state SET capture = NULL");
      await (await publish({ relay: false })).close();
    });

    it("a migration puts them in place, and takes them away", async () => {
      const migration = lockstepMigration({ capture: "trigger", timestamp: 1_700_000_000_000 });
      const migrated = newDataSource({ migrations: [migration], synchronize: false });
      await migrated.initialize();
      try {
        await migrated.runMigrations();
        await (await publish({ capture: "trigger", tables: "migration", relay: false }, migrated)).close();
        await migrated.query("INSERT INTO person (name) VALUES ('ada')");
        expect(await outboxRows()).to.equal(1);
        await migrated.undoLastMigration();
        await migrated.query("INSERT INTO person (name) VALUES ('eve')");
        expect(await outboxRows()).to.equal(1);
      } finally {
        await migrated.destroy();
      }
    });

    it("raw SQL of MariaDB reaches the stream, and uninstall takes the triggers away", async () => {
      const mariadb = await freshMariaDb();
      const other = new DataSource({
        type: "mariadb",
        url: mariadb.url,
        entities: [person],
        synchronize: true,
      });
      try {
        await other.initialize();
        const publisher = await publish({ capture: "trigger" }, other);
        const published = await follow();
        await other.query("INSERT INTO person (name) VALUES ('ada')");
        expect((await published(1)).map(({ op, key, image }) => [op, key, image])).to.deep.equal([
          ["insert", '["1"]', '["1","ada"]'],
        ]);
        await publisher.uninstall({ tables: true });
        await other.query("INSERT INTO person (name) VALUES ('eve')");
      } finally {
        await other.destroy();
        await mariadb.drop();
      }
    });
  });

  it("names the source after its database", async () => {
    await dataSource.initialize();
    const publisher = await publishChanges(dataSource, { redis: redis.url, relay: false });
    publishers.push(publisher);
    expect(publisher.source).to.equal(new URL(database.url).pathname.slice(1));
  });

  it("called before initialize, and again after destroy and initialize", async () => {
    const publisher = await publish();
    expect(publisher.status().state).to.equal("waiting");
    await dataSource.initialize();
    await publisher.ready;
    const published = await follow();
    await dataSource.manager.insert(person, { name: "a" });
    await dataSource.destroy();
    await dataSource.initialize();
    await dataSource.manager.insert(person, { name: "b" });
    expect(await published(2)).to.have.length(2);
  });

  it("refuses a second publisher of one DataSource until the first is closed", async () => {
    await dataSource.initialize();
    const first = await publish();
    const error = await publish().catch((thrown: unknown) => thrown);
    expect(isLockstepError(error, "CONFIG_INVALID")).to.equal(true);
    await first.close();
    await publish();
    const published = await follow();
    await dataSource.manager.insert(person, { name: "a" });
    expect(await published(1)).to.have.length(1);
  });

  it("two DataSources in one process keep apart", async () => {
    const otherDatabase = await freshPostgres();
    const other = newDataSource({ url: otherDatabase.url });
    try {
      await Promise.all([dataSource.initialize(), other.initialize()]);
      await publish();
      await publish({ source: "other" }, other);
      const [here, there] = await Promise.all([follow(), follow("other")]);
      await dataSource.manager.insert(person, { name: "here" });
      await other.manager.insert(person, { name: "there" });
      expect((await here(1))[0]?.image).to.contain("here");
      expect((await there(1))[0]?.image).to.contain("there");
    } finally {
      for (const publisher of publishers.splice(0)) await publisher.close();
      await other.destroy();
      await otherDatabase.drop();
    }
  });

  it("captures while Redis is away", async () => {
    await dataSource.initialize();
    await publish({ redis: { host: "127.0.0.1", port: 1 }, relay: { limits: { drainTimeoutMs: 200 } } });
    await dataSource.manager.save(person, { name: "a" });
    expect(await outboxRows()).to.equal(1);
  });

  it("the first barrier is refused inside of a transaction that was open before, and given behind it", async () => {
    await dataSource.initialize();
    const lockstep = await publish();
    const codeOf = (asked: Promise<unknown>) =>
      asked.then(
        () => "given",
        (error: unknown) => isLockstepError(error) && error.code,
      );
    const inside = (timeoutMs: number) =>
      dataSource.transaction(async (manager) => {
        await manager.getRepository(person).save({ name: "Ada" });
        return codeOf(lockstep.barrier({ timeoutMs }));
      });
    let end: (() => void) | undefined;
    const open = dataSource.transaction(() => new Promise<void>((resolve) => (end = resolve)));
    const behind = lockstep.barrier();
    expect(await inside(5_000)).to.equal("BARRIER_IN_TRANSACTION");
    end!();
    await open;
    expect(await codeOf(behind)).to.equal("given");
    expect(await codeOf(lockstep.barrier())).to.equal("given");
    await lockstep.close();
    await publish();
    expect(
      await dataSource.transaction(() => codeOf(publishers.at(-1)!.barrier({ timeoutMs: 50 }))),
    ).to.equal("BARRIER_IN_TRANSACTION");
  });

  it("captures without a relay, and after close", async () => {
    await dataSource.initialize();
    const publisher = await publish({ relay: false });
    await dataSource.manager.save(person, { name: "a" });
    await publisher.close();
    await publisher.done;
    await dataSource.manager.save(person, { name: "b" });
    expect(await outboxRows()).to.equal(2);
    expect(publisher.status().relay).to.equal(undefined);
  });

  it("LOCKSTEP_DISABLED: does nothing, and says so", async () => {
    const said: string[] = [];
    process.env["LOCKSTEP_DISABLED"] = "1";
    try {
      await dataSource.initialize();
      const publisher = await publish({
        logger: { ...silent, warn: (_, message) => void said.push(message) },
      });
      await dataSource.manager.save(person, { name: "a" });
      expect(publisher.status().state).to.equal("disabled");
    } finally {
      delete process.env["LOCKSTEP_DISABLED"];
    }
    expect(said).to.deep.equal(["lockstep is disabled: nothing is captured"]);
    const [found] = (await dataSource.query("SELECT to_regnamespace('lockstep') AS it")) as {
      it: string | null;
    }[];
    expect(found?.it).to.equal(null);
  });

  it("LOCKSTEP_DISABLED where triggers capture: publishes on, and says so; LOCKSTEP_RELAY_DISABLED ends that too", async () => {
    await dataSource.initialize();
    const said: string[] = [];
    const logger = { ...silent, warn: (_: object, message: string) => void said.push(message) };
    await (await publish({ capture: "trigger", relay: false })).close();
    await dataSource.manager.save(person, { name: "a" });
    process.env["LOCKSTEP_DISABLED"] = "1";
    try {
      const publisher = await publish({ capture: "trigger", logger });
      expect(publisher.status().state).to.equal("disabled");
      expect(said[0]).to.contain("the database goes on capturing");
      const reader = redisStreamReader({ redis: redis.url, source: "shop" });
      await eventually(async () => (await reader.relay())?.total === 1);
      await reader.close();
      await publisher.close();
      process.env["LOCKSTEP_RELAY_DISABLED"] = "1";
      const idle = await publish({ capture: "trigger", logger });
      expect(idle.status()).to.deep.equal({ state: "disabled", blindWrites: 0 });
      expect(said.at(-1)).to.contain("the relay of this process is disabled");
    } finally {
      delete process.env["LOCKSTEP_DISABLED"];
      delete process.env["LOCKSTEP_RELAY_DISABLED"];
    }
  });

  it('tables: "migration" wants the exported migration', async () => {
    await dataSource.initialize();
    const error = await publish({ tables: "migration" }).catch((thrown: unknown) => thrown);
    expect(isLockstepError(error, "OUTBOX_MISSING")).to.equal(true);
    await dataSource.destroy();
    dataSource = newDataSource({ migrations: [lockstepMigration()], migrationsRun: true });
    await dataSource.initialize();
    await publish({ tables: "migration", relay: false });
    await dataSource.manager.save(person, { name: "a" });
    expect(await outboxRows()).to.equal(1);
    for (const publisher of publishers.splice(0)) await publisher.uninstall();
    await dataSource.undoLastMigration();
  });

  it("writes to an outbox of the name it is given, from migration to removal", async () => {
    const outbox = { schema: "audit", table: "order_changes" };
    dataSource = newDataSource({ migrations: [lockstepMigration({ outbox })], migrationsRun: true });
    await dataSource.initialize();
    expect(isLockstepError(await publish().catch((thrown: unknown) => thrown))).to.equal(false);
    for (const other of publishers.splice(0)) await other.uninstall({ tables: true });
    const misnamed = await publish({ outbox: { schema: "audit" } }).catch((thrown: unknown) => thrown);
    expect(isLockstepError(misnamed, "OUTBOX_NAME")).to.equal(true);
    const publisher = await publish({ outbox, tables: "migration" });
    const published = await follow();
    await dataSource.manager.save(person, { name: "ada" });
    expect(await published(1)).to.have.length(1);
    const rows = () => dataSource.query<object[]>("SELECT key FROM audit.order_changes");
    expect(await rows()).to.deep.equal([{ key: '["1"]' }]);
    publishers.splice(0);
    await publisher.uninstall({ tables: true });
    expect(await rows().catch(() => "gone")).to.equal("gone");
  });

  it("captures the chosen entities only", async () => {
    await dataSource.initialize();
    await publish({ entities: ["Person"], relay: false });
    await dataSource.manager.insert(person, { name: "a" });
    await dataSource.manager.insert(animal, { id: 1, name: "b" });
    expect(await outboxRows()).to.equal(1);
  });

  it("leaves out what is excluded", async () => {
    await dataSource.initialize();
    await publish({ exclude: [animal], relay: false });
    await dataSource.manager.insert(person, { name: "a" });
    await dataSource.manager.insert(animal, { id: 1, name: "b" });
    expect(await outboxRows()).to.equal(1);
  });

  it("names what it doesn't know", async () => {
    await dataSource.initialize();
    const error = await publish({ entities: ["Person", "Ghost", "Spook"] }).catch(
      (thrown: unknown) => thrown,
    );
    expect(isLockstepError(error, "ENTITY_UNKNOWN")).to.equal(true);
    expect(String(error)).to.contain("Ghost, Spook");
    await publish();
  });

  it("refuses a table without a primary key", async () => {
    await dataSource.initialize();
    await dataSource.query('ALTER TABLE person DROP CONSTRAINT IF EXISTS "PK_5fdaf670315c4b7e70cce85daa3"');
    const error = await publish().catch((thrown: unknown) => thrown);
    expect(isLockstepError(error, "TABLE_WITHOUT_PRIMARY_KEY")).to.equal(true);
    expect(String(error)).to.contain("public.person");
  });

  it("a table that is made later", async () => {
    dataSource = newDataSource({ synchronize: false });
    await dataSource.initialize();
    await publish({ relay: false });
    await dataSource.synchronize();
    await dataSource.manager.save(person, { name: "a" });
    expect(await outboxRows()).to.equal(1);
  });

  it("uninstall takes everything away", async () => {
    await dataSource.initialize();
    const publisher = await publish();
    await dataSource.manager.save(person, { name: "a" });
    await publisher.uninstall({ tables: true });
    await dataSource.manager.save(person, { name: "b" });
    const [found] = (await dataSource.query("SELECT to_regnamespace('lockstep') AS it")) as {
      it: string | null;
    }[];
    expect(found?.it).to.equal(null);
    expect(publisher.status().state).to.equal("uninstalled");
  });

  it("removeTarget answers how many lanes there were", async () => {
    await dataSource.initialize();
    const publisher = await publish({ relay: false });
    expect(await publisher.removeTarget("nobody")).to.equal(0);
  });

  it("changes of an entity become jobs", async () => {
    await dataSource.initialize();
    await publish({ queues: { Person: "person-changed" } });
    await dataSource.manager.save(person, { name: "ada" });
    const queue = new Queue("person-changed", { connection: { url: redis.url } });
    try {
      const [job] = await eventually(async () => {
        const jobs = await queue.getJobs();
        return jobs.length > 0 && jobs;
      });
      expect(job?.data).to.deep.include({
        table: "public.person",
        op: "insert",
        row: { id: "1", name: "ada" },
      });
    } finally {
      await queue.close();
    }
  });

  it("names everything that is wrong with the options", async () => {
    await dataSource.initialize();
    const error = await publish({ partitions: 0, source: "", queues: { Person: "a:b" } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(isLockstepError(error, "CONFIG_INVALID")).to.equal(true);
    expect(String(error)).to.contain("partitions").and.to.contain("source").and.to.contain("colon");
    const unknown = await publish({ queues: { Ghost: "q" } }).catch((thrown: unknown) => thrown);
    expect(isLockstepError(unknown, "ENTITY_UNKNOWN")).to.equal(true);
  });

  it("other types of database are refused", async () => {
    const other = Object.create(dataSource, { options: { value: { type: "sqlite" } } }) as DataSource;
    const error = await publishChanges(other, { redis: redis.url }).catch((thrown: unknown) => thrown);
    expect(isLockstepError(error, "DRIVER_UNSUPPORTED")).to.equal(true);
  });
});
