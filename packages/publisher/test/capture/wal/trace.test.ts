import type { LoggedEvent } from "@lockstep/core";
import { expect } from "chai";
import { DataSource, EntitySchema } from "typeorm";
import { traceTransactions } from "../../../src/capture/wal/trace/trace-transactions.js";
import { LogFollower, openWalSource, type WalSource } from "./wal-source.js";
import { openTracing, traceparent } from "../trace/recorded-span.js";

const item = new EntitySchema<{ id: number; v: string | null }>({
  name: "item",
  columns: { id: { type: "int", primary: true }, v: { type: "text", nullable: true } },
});

describe("the write-ahead log: traces", () => {
  let db: WalSource;
  let app: DataSource;
  let log: LogFollower;
  let end: () => void;
  let tracing: ReturnType<typeof openTracing>;
  const sent: string[] = [];
  let marks = 1_000;

  before(async () => {
    db = await openWalSource();
    await db.sql("create table item (id int primary key, v text)");
    await db.sql("create table other (id int primary key)");
    await db.install("item");
    const logger = { logQuery: (sql: string) => void sent.push(sql) };
    const quiet = { logQueryError() {}, logQuerySlow() {}, logSchemaBuild() {}, logMigration() {}, log() {} };
    app = await new DataSource({
      type: "postgres",
      url: db.url,
      entities: [item],
      logger: { ...quiet, ...logger },
    }).initialize();
    end = await traceTransactions(app);
    log = await LogFollower.lead(db.log());
    tracing = openTracing();
  });
  after(async () => {
    tracing?.close();
    await log?.release();
    await app?.destroy();
    await db?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    sent.length = 0;
    await app.query("DELETE FROM item");
    await app.query("DELETE FROM other");
  });

  const traced: ReturnType<typeof openTracing>["traced"] = (...given) => tracing.traced(...given);

  /** Traces of the transactions whose rows have these keys, in order. */
  async function tracesOf(...keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    await app.query(`INSERT INTO item VALUES (${++marks})`);
    const events = await untilKey(`["${marks}"]`);
    return keys.map((key) => events.findLast((event) => event.key === `["${key}"]`)?.transaction.traceparent);
  }

  async function untilKey(key: string): Promise<readonly LoggedEvent[]> {
    while (log.events.at(-1)?.key !== key) await log.until(log.events.length + 1);
    return log.events;
  }

  it("the transaction of a save, an explicit one, and a single write carry the span's traceparent", async () => {
    await traced(async () => {
      await app.manager.save(item, { id: 1, v: "a" });
      await app.transaction(async (manager) => {
        await manager.insert(item, { id: 2 });
        await manager.query("INSERT INTO item VALUES (3)");
      });
      expect((await app.manager.insert(item, { id: 4, v: null })).identifiers).to.deep.equal([{ id: 4 }]);
      expect(await app.query("INSERT INTO item VALUES ($1) RETURNING id", [5])).to.deep.equal([{ id: 5 }]);
      expect((await app.manager.update(item, { id: 5 }, { v: "b" })).affected).to.equal(1);
    });
    await app.manager.save(item, { id: 6, v: "a" });
    expect(await tracesOf("1", "2", "3", "4", "5", "6")).to.deep.equal([
      ...Array<string>(5).fill(traceparent),
      undefined,
    ]);
  });

  it("what is not recorded, or only reads, sends nothing more than it did", async () => {
    await traced(() => app.manager.save(item, { id: 1, v: "a" }), false);
    await traced(async () => void (await app.manager.find(item)));
    expect(sent.filter((sql) => sql.includes("emit_message"))).to.deep.equal([]);
    await db.sql("select pg_create_logical_replication_slot('lockstep_trace_test', 'pgoutput', true)");
    await traced(() => app.transaction((manager) => manager.find(item)));
    expect(sent.filter((sql) => sql.includes("emit_message"))).to.have.length(1);
    const messages = await db.sql(
      `select from pg_logical_slot_get_binary_changes('lockstep_trace_test', null, null, 'proto_version', '1',
         'publication_names', 'none', 'messages', 'true') where get_byte(data, 0) = ascii('M')`,
    );
    expect(messages).to.have.length(0);
  });

  it("a transaction that failed is rolled back by its COMMIT, as without a trace, and a refused write is the driver's error", async () => {
    await traced(async () => {
      await app.transaction(async (manager) => {
        await manager.insert(item, { id: 1 });
        await manager.query("SELECT 1/0").catch(() => undefined);
      });
      expect(await app.manager.countBy(item, { id: 1 })).to.equal(0);
      await app.manager.insert(item, { id: 2 });
      const refused = await app.manager.insert(item, { id: 2 }).catch((error: unknown) => error);
      expect(refused).to.have.property("code", "23505");
    });
    expect(await tracesOf("2")).to.deep.equal([traceparent]);
  });

  it("messages of others, and what is no traceparent, are passed over", async () => {
    await db.sql(
      `begin; insert into item values (1); select pg_logical_emit_message(true, 'other', '${traceparent}'); commit`,
    );
    await db.sql(
      "begin; insert into item values (2); select pg_logical_emit_message(true, 'lockstep', 'x\u00e4'); commit",
    );
    await db.sql(`select pg_logical_emit_message(false, 'lockstep', '${traceparent}')`);
    await db.sql("insert into item values (3)");
    expect(await tracesOf("1", "2", "3")).to.deep.equal([undefined, undefined, undefined]);
  });

  it("ends when it is taken away", async () => {
    end();
    await traced(() => app.manager.save(item, { id: 1, v: "a" }));
    expect(await tracesOf("1")).to.deep.equal([undefined]);
  });
});
