import { isLockstepError } from "@lockstep/core";
import { type Context, context, trace, TraceFlags } from "@opentelemetry/api";
import { expect } from "chai";
import { EntitySchema } from "typeorm";
import { type DriverType, openSource, type Source } from "../../support/open-source.js";

const drivers = ["postgres", "mariadb"] as const satisfies readonly DriverType[];

const item = (options: object = {}) =>
  new EntitySchema<{ id: number; v: number }>({
    name: "item",
    columns: { id: { type: "int", primary: true }, v: { type: "int" } },
    ...options,
  });

describe("surroundings of a capture", () => {
  let source: Source;
  afterEach(() => source.close());
  const errorOf = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );

  it("tables of other schemas, also of the same name", async () => {
    const one = item({ schema: "one" });
    source = await openSource("postgres", { options: { entities: [], synchronize: false } });
    await source.sql("CREATE SCHEMA one");
    await source.sql(
      "CREATE TABLE one.item (id int primary key, v int); CREATE TABLE public.item (id int primary key, v int)",
    );
    source.capture.uninstall();
    const dataSource = source.dataSource.setOptions({
      entities: [one, item({ name: "plain", tableName: "item" })],
    });
    await dataSource.destroy();
    await dataSource.initialize();
    await source.reinstall();
    await dataSource.manager.insert(one, { id: 1, v: 1 });
    await dataSource.manager.insert("plain", { id: 2, v: 2 });
    const rows = await source.sql(
      "SELECT t.definition->>'namespace' AS ns, o.key FROM lockstep.outbox o JOIN lockstep.table_schema t USING (fingerprint) ORDER BY o.seq",
    );
    expect(rows.map(({ ns, key }) => [ns, key])).to.deep.equal([
      ["one", '["1"]'],
      ["public", '["2"]'],
    ]);
  });

  it("an entity that maps a view is refused when it is written", async () => {
    source = await openSource("postgres", { options: { entities: [item()], synchronize: false } });
    await source.sql("CREATE TABLE base (id int primary key, v int); CREATE VIEW item AS SELECT * FROM base");
    const error = await errorOf(source.dataSource.manager.insert("item", { id: 1, v: 1 }));
    expect(isLockstepError(error, "CAPTURE_BLIND_WRITE")).to.equal(true);
  });

  it("a view's rows go through with bulkWrites: allow", async () => {
    source = await openSource("postgres", {
      options: { entities: [item()], synchronize: false },
      settings: { bulkWrites: "allow" },
    });
    await source.sql("CREATE TABLE base (id int primary key, v int); CREATE VIEW item AS SELECT * FROM base");
    await source.dataSource.manager.insert("item", { id: 1, v: 1 });
    expect(await source.sql("SELECT * FROM base")).to.have.length(1);
    expect(source.capture.blindWrites).to.equal(1);
  });

  for (const type of drivers) {
    it(`onBlindWrite: error refuses raw SQL before it is sent: ${type}`, async () => {
      source = await openSource(type, { settings: { onBlindWrite: "error" } });
      await source.dataSource.manager.insert(source.Author, { email: "a" });
      const error = await errorOf(source.dataSource.query("DELETE FROM author"));
      expect(isLockstepError(error, "CAPTURE_BLIND_WRITE")).to.equal(true);
      expect(await source.sql("SELECT * FROM author")).to.have.length(1);
      await source.dataSource
        .query(
          type === "postgres"
            ? "UPDATE pg_class SET relname = relname WHERE false"
            : "UPDATE oracle_of_nothing SET a = 1 WHERE 1 = 0",
        )
        .catch(() => undefined);
      expect(source.capture.blindWrites).to.equal(0);
    });

    it(`clear() goes through with bulkWrites: allow, after what came before it: ${type}`, async () => {
      source = await openSource(type, { settings: { bulkWrites: "allow" } });
      await source.dataSource.manager.transaction(async (tx) => {
        await tx.insert(source.Author, { email: "a" });
        await tx.clear(source.Reading);
      });
      expect((await source.outbox()).map(({ table }) => table)).to.deep.equal(["author"]);
    });

    it(`reads of replicas and writes of the master: ${type}`, async () => {
      source = await openSource(type);
      const url = (source.options as { url: string }).url;
      const replicated = new source.orm.DataSource({
        ...source.options,
        url: undefined,
        synchronize: false,
        replication: { master: { url }, slaves: [{ url }] },
      } as never);
      source.capture.uninstall();
      await replicated.initialize();
      try {
        const capture = await source.installOn(replicated);
        await replicated.manager.save(source.Author, { email: "a" });
        await replicated.manager.update(source.Author, { email: "a" }, { name: "b" });
        expect(await replicated.manager.findOneBy(source.Author, { email: "a" })).to.have.property(
          "name",
          "b",
        );
        expect((await source.outbox()).map(({ op }) => op)).to.deep.equal(["insert", "update"]);
        capture.uninstall();
      } finally {
        await replicated.destroy();
      }
    });

    it(`the traceparent of the span that wrote: ${type}`, async () => {
      source = await openSource(type);
      const spanContext = {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
        traceFlags: TraceFlags.SAMPLED,
      };
      let active: Context = trace.setSpanContext(context.active(), spanContext);
      context.setGlobalContextManager({
        active: () => active,
        with: (next, run, self, ...rest) => {
          const before = active;
          active = next;
          try {
            return run.call(self as never, ...rest);
          } finally {
            active = before;
          }
        },
        bind: (_, target) => target,
        enable() {
          return this;
        },
        disable() {
          return this;
        },
      });
      try {
        await source.dataSource.manager.save(source.Author, { email: "a" });
      } finally {
        context.disable();
      }
      const [row] = await source.sql(
        `SELECT traceparent FROM ${type === "postgres" ? "lockstep.outbox" : "lockstep_outbox"}`,
      );
      expect(row?.["traceparent"]).to.equal("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    });
  }

  it("a serialization failure at the flush comes as the driver's own error", async () => {
    source = await openSource("postgres");
    await source.dataSource.manager.insert(source.Tag, { slug: "a", label: "A" });
    const error = await errorOf(
      source.dataSource.manager.transaction("REPEATABLE READ", async (tx) => {
        await tx.query("SELECT 1");
        await source.sql("UPDATE tag SET label = 'elsewhere' WHERE slug = 'a'");
        await tx.upsert(source.Tag, [{ slug: "b", label: "B" }], ["slug"]);
        await tx.update(source.Tag, { slug: "a" }, { label: "here" });
      }),
    );
    expect(error).to.have.property("code", "40001");
  });
});
