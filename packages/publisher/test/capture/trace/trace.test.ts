import { type LoggedEvent, type Position, eventsOf } from "@lockstep/core";
import { silentLogger } from "@lockstep/core";
import { outboxWriterOf } from "../../../src/capture/outbox-writer-of.js";
import { captureOf, type CaptureSource, installAtSource, runAtSource } from "../../../src/capture/index.js";
import { assistTriggers } from "../../../src/capture/trigger/assist-triggers.js";
import { freshMariaDb, freshPostgres } from "@lockstep/testing";
import { expect } from "chai";
import { DataSource, EntitySchema } from "typeorm";
import { openTracing, traceparent } from "./recorded-span.js";

const item = new EntitySchema<{ id: number; v: string | null }>({
  name: "item",
  columns: { id: { type: "int", primary: true }, v: { type: "varchar", length: 80, nullable: true } },
});

/** What the process does for triggers of MySQL and MariaDB. */
async function helped(app: DataSource): Promise<() => void> {
  const tables = { named: () => [] };
  const blindWrites = { count: 0, warned: new Set<string>() };
  return assistTriggers(app, {
    bulkWrites: "error",
    onBlindWrite: "warn",
    logger: silentLogger,
    tables,
    blindWrites,
  });
}

for (const [kind, engine] of [
  ["trigger", "postgres"],
  ["trigger", "mysql"],
  ["binlog", "mysql"],
] as const) {
  describe(`traces of what the application writes, captured by ${kind} on ${engine}`, () => {
    let tracing: ReturnType<typeof openTracing>;
    let app: DataSource;
    let log: ReturnType<ReturnType<typeof captureOf>["changeLog"]>;
    let start: Position;
    let end: () => void;
    let closes: (() => Promise<unknown>)[] = [];

    before(async () => {
      const database = await (engine === "postgres" ? freshPostgres() : freshMariaDb());
      closes = [database.drop];
      app = await new DataSource({
        type: engine === "postgres" ? "postgres" : "mariadb",
        url: database.url,
        entities: [item],
        synchronize: true,
      }).initialize();
      closes.unshift(() => app.destroy());
      const about = { name: "test", outbox: {}, logger: silentLogger, engine, connection: database.url };
      const source = about as CaptureSource;
      const capture = captureOf(kind, source);
      const namespace = engine === "postgres" ? "public" : new URL(database.url).pathname.slice(1);
      await runAtSource(source, async (run) => {
        const writer = outboxWriterOf(source);
        await writer.ensure(run);
        await writer.describe(run, [{ namespace, name: "item" }]);
        await installAtSource(capture, run, [{ namespace, name: "item" }]);
      });
      log = capture.changeLog();
      closes.unshift(() => log.close());
      const lead = await log.lead();
      closes.unshift(async () => lead?.release());
      start = await log.top();
      end = await (capture.trace?.(app) ?? helped(app));
      tracing = openTracing();
    });
    after(async () => {
      tracing?.close();
      for (const close of closes) await close();
    });

    const traced: ReturnType<typeof openTracing>["traced"] = (...given) => tracing.traced(...given);

    /** Triggers of MySQL know no transaction: what a tick finds goes as one, under one trace. */
    async function tick(): Promise<void> {
      while (kind === "trigger" && (await log.cut()) !== undefined);
    }

    async function traces(): Promise<Record<string, string | undefined>> {
      await log.top();
      await tick();
      const events: LoggedEvent[] = [];
      for await (const page of log.read(start)) events.push(...eventsOf(page));
      return Object.fromEntries(
        events.map(({ op, key, transaction }) => [`${op} ${key}`, transaction.traceparent]),
      );
    }

    it("transactions, single writes and SQL by hand carry it; what isn't traced carries none, and is sent as ever", async () => {
      const sql = `INSERT INTO item (id, v) VALUES (${engine === "postgres" ? "$1, $2" : "?, ?"})`;
      await traced(async () => {
        await app.manager.save(item, { id: 1, v: "a?" });
        await app.transaction(async (manager) => {
          await manager.insert(item, { id: 2, v: "/*traceparent='x'*/" });
          await manager.update(item, { id: 2 }, { v: "b" });
        });
        await app.query(sql, [3, "c"]);
        await app.manager.delete(item, { id: 3 });
        await app.query("INSERT INTO item (id) VALUES (4);");
      });
      await tick();
      await app.manager.save(item, { id: 5, v: traceparent });
      await tick();
      end();
      await traced(() => app.manager.insert(item, { id: 6 }));
      const found = await traces();
      expect(found).to.deep.equal({
        'insert ["1"]': traceparent,
        'insert ["2"]': traceparent,
        'update ["2"]': traceparent,
        'insert ["3"]': traceparent,
        'delete ["3"]': traceparent,
        'insert ["4"]': engine === "mysql" && kind === "trigger" ? traceparent : undefined,
        'insert ["5"]': undefined,
        'insert ["6"]': undefined,
      });
    });
  });
}
