import { silentLogger, type Finding } from "@lockstep/core";
import { examinePostgres, type PostgresExamineOptions } from "@lockstep/outbox";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { captureOf, type CaptureSource } from "../../src/capture/index.js";
import { examinePlan } from "../../src/examine/examine-plan.js";
import { openWalSource, type WalSource } from "../capture/wal/wal-source.js";

const redis = "redis://nowhere";

describe("an examination of a source whose write-ahead log is captured", () => {
  let db: WalSource;
  let source: CaptureSource;

  before(async () => {
    db = await openWalSource();
    source = { engine: "postgres", connection: db.url, name: "shop", outbox: {}, logger: silentLogger };
    await db.sql("create table items (id int primary key, v text)");
    await db.sql("create table parts (id int, day int, primary key (id, day)) partition by list (day)");
    await db.sql("create table parts_1 partition of parts for values in (1)");
    await db.sql("create table apart (id int primary key)");
    await db.sql("create unlogged table fast (id int primary key)");
    await db.sql("create table loose (id int primary key)");
    await db.install("items", "parts", "apart");
  });
  after(() => db[Symbol.asyncDispose]());

  const plan = (): Promise<readonly Finding[]> =>
    examinePlan({ source, capture: "wal", redis, captureTables: ["items"] });
  const describe = (...names: string[]) =>
    db.writer.describe(
      db.sql,
      names.map((name) => ({ namespace: "public", name })),
    );

  it("says that what the capture needs is in place", async () => {
    await describe("items", "parts", "apart");
    const findings = await plan();
    expect(findings.map(({ level }) => level)).to.deep.equal(["ok"]);
    expect(findings[0]!.message).to.contain("3 table(s)");
  });

  it("finds what capture status finds, in its words, and changes nothing", async () => {
    await db.sql("alter publication " + (await publication()) + " drop table apart");
    const said = await captureOf("wal", source).plan(db.sql, [{ namespace: "public", name: "apart" }]);
    expect(said.findings).to.have.length(1);
    expect(await plan()).to.deep.equal([
      {
        check: "capture.plan",
        level: "error",
        subject: "public.apart",
        message: said.findings[0]!.message,
        advice: "lockstep capture install",
      },
    ]);
    const { findings } = await captureOf("wal", source).plan(db.sql, [
      { namespace: "public", name: "apart" },
    ]);
    expect(findings).to.deep.equal(said.findings);
  });

  it("names tables that are meant to be captured and don't exist", async () => {
    const found = await examinePlan({ source, capture: "wal", redis, captureTables: ["itmes"] });
    expect(found.map(({ subject, message }) => [subject, message])).to.deep.include([
      "itmes",
      "itmes: the table doesn't exist",
    ]);
  });

  async function publication(): Promise<string> {
    const [row] = await db.sql("select publications[1] as name from lockstep.wal");
    return row!["name"]!;
  }

  /** What is found of each table while all of them are written to. */
  async function watch(
    armed: string,
    more: Partial<PostgresExamineOptions>,
  ): Promise<Record<string, readonly string[]>> {
    let end = (): void => undefined;
    const window = new Promise<void>((resolve) => (end = resolve));
    const examining = examinePostgres({
      connection: db.url,
      capture: "wal",
      windowMs: 1_000,
      sleep: () => window,
      ...more,
    });
    await eventually(async () => (await db.sql(armed)).length > 0, { what: "the doctor to watch" });
    const writer = await db.connect();
    for (const table of ["items", "apart", "fast", "loose"]) {
      await writer.query(`insert into ${table} select g from generate_series(1, 3) g`);
    }
    await writer.query("insert into parts values (1, 1), (2, 1)");
    await writer.query("begin");
    await writer.query("update items set v = 'x'");
    await writer.query("rollback");
    // A session that ends tells its statistics at once, and is gone when it has.
    const { rows } = await writer.query<{ pid: number }>("select pg_backend_pid() as pid");
    await writer.end();
    const own = `select from pg_stat_activity where pid = ${rows[0]!.pid}`;
    await eventually(async () => (await db.sql(own)).length === 0, { what: "the session to be gone" });
    end();
    const findings = (await examining).filter(({ check }) => check === "capture.coverage");
    for (const table of ["items", "apart", "fast", "loose", "parts"]) await db.sql(`delete from ${table}`);
    return Object.fromEntries(findings.map(({ subject, level, message }) => [subject, [level, message]]));
  }

  it("names tables that are written to and not in the log, by the server's statistics", async () => {
    await describe("fast");
    const found = await watch(
      "select from pg_stat_activity where application_name = 'lockstep doctor' and query like 'with counted as%' and state = 'idle'",
      {},
    );
    expect(found["public.items"]?.[0]).to.equal("ok");
    expect(found["public.parts"]).to.deep.equal([
      "ok",
      "2 row change(s) were counted, and the log that is read has them",
    ]);
    expect(found["public.apart"]?.[0]).to.equal("error");
    expect(found["public.apart"]?.[1]).to.contain("not published");
    expect(found["public.fast"]?.[1]).to.contain("unlogged");
    expect(found["public.loose"]).to.deep.equal([
      "warning",
      "is not captured, and 3 row change(s) were counted",
    ]);
  });

  it("with --exact: names transactions that the log, as it is read, doesn't have, and leaves nothing behind", async () => {
    const found = await watch("select from pg_trigger where tgname = 'lockstep_doctor'", { exact: true });
    expect(found).to.deep.equal({
      "public.items": ["ok", "all of 1 transaction(s) were captured"],
      "public.parts": ["ok", "all of 1 transaction(s) were captured"],
      "public.apart": ["error", "1 of 1 transaction(s) that changed it are not in the log that is read"],
      "public.fast": ["error", "1 of 1 transaction(s) that changed it are not in the log that is read"],
    });
    expect(await db.sql("select from pg_trigger where tgname = 'lockstep_doctor'")).to.have.length(0);
    expect(
      await db.sql("select from pg_replication_slots where slot_name like 'lockstep_doctor%'"),
    ).to.have.length(0);
  });
});
