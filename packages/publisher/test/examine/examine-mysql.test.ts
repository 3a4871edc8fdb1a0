import { silentLogger, type CaptureKind, type Finding } from "@lockstep/core";
import { mysqlOutboxWriter } from "@lockstep/outbox";
import { expect } from "chai";
import type { CaptureSource } from "../../src/capture/index.js";
import { installAtSource } from "../../src/capture/install-at-source.js";
import { triggerCapture } from "../../src/capture/trigger/trigger-capture.js";
import { examinePlan } from "../../src/examine/examine-plan.js";
import { watchBinlog } from "../../src/examine/watch-binlog.js";
import { type BinlogSource, openBinlogSource } from "../capture/binlog/binlog-source.js";

describe("an examination of a MariaDB source", () => {
  let db: BinlogSource;
  let source: Extract<CaptureSource, { engine: "mysql" }>;
  const plan = (capture: CaptureKind): Promise<readonly Finding[]> =>
    examinePlan({ source, capture, redis: "redis://nowhere" });

  before(async () => {
    db = await openBinlogSource();
    source = { engine: "mysql", connection: db.url, name: "shop", outbox: {}, logger: silentLogger };
    for (const name of ["items", "others", "loose"])
      await db.run(`CREATE TABLE ${name} (id INT PRIMARY KEY)`);
    await db.describe("items", "others");
  });
  after(() => db.close());

  it("finds what capture status finds: missing triggers, settings of the binlog", async () => {
    const tables = ["items", "others"].map((name) => ({ namespace: db.namespace, name }));
    const trigger = triggerCapture(source);
    const { findings } = await trigger.plan(db.run, tables);
    expect((await plan("trigger")).map(({ message }) => message)).to.deep.equal(
      findings.map(({ message }) => message),
    );
    await installAtSource(trigger, db.run, tables);
    expect((await plan("trigger")).map(({ level }) => level)).to.deep.equal(["ok"]);
    for (const statement of (await trigger.removal(db.run)).statements) await db.run(statement);
    expect((await plan("binlog")).map(({ level }) => level)).to.deep.equal(["ok"]);
    await db.run("SET GLOBAL binlog_row_metadata = 'MINIMAL'");
    try {
      expect(await plan("binlog")).to.deep.equal([
        {
          check: "capture.plan",
          level: "error",
          subject: "source",
          message: "binlog_row_metadata is MINIMAL: Set binlog_row_metadata = FULL.",
        },
      ]);
    } finally {
      await db.run("SET GLOBAL binlog_row_metadata = 'FULL'");
    }
  });

  it("with --exact: names transactions that left no event in the outbox, from the binlog", async () => {
    const writer = mysqlOutboxWriter();
    const note = { table: { namespace: db.namespace, name: "items" }, op: "insert" as const, key: ["1"] };
    const found = await watched("subscriber", async () => {
      await db.run("BEGIN");
      await db.run("INSERT INTO items VALUES (1)");
      await writer.append(db.run, [note], {});
      await db.run("COMMIT");
      await db.run("INSERT INTO items VALUES (2)");
      await db.run("BEGIN");
      await db.run("INSERT INTO others VALUES (1)");
      // An event, but of another table.
      await writer.append(db.run, [note], {});
      await db.run("COMMIT");
      await db.run("INSERT INTO loose VALUES (1), (2)");
      await db.run("BEGIN");
      await db.run("INSERT INTO others VALUES (2)");
      await db.run("ROLLBACK");
    });
    expect(found).to.deep.equal({
      items: ["error", "1 of 2 transaction(s) that changed it went past capture"],
      others: ["error", "1 of 1 transaction(s) that changed it went past capture"],
      loose: ["warning", "is not captured, and 1 transaction(s) changed it"],
    });
  });

  it("names what the binlog that is captured doesn't have: sql_log_bin = 0, statements", async () => {
    await db.run("SET GLOBAL userstat = ON");
    const session = await db.session();
    try {
      const found = await watched("binlog", async () => {
        await db.run("INSERT INTO items VALUES (10)");
        await session.run("SET sql_log_bin = 0");
        await session.run("INSERT INTO others VALUES (10), (11)");
        await session.run("SET sql_log_bin = 1, binlog_format = 'STATEMENT'");
        await session.run("UPDATE items SET id = 12 WHERE id = 10");
        await session.close();
      });
      expect(found["items"]).to.deep.equal(["ok", "1 transaction(s) that changed it are in the log"]);
      expect(found["others"]?.[0]).to.equal("error");
      expect(found["others"]?.[1]).to.match(/^the database counted 2 row change\(s\) and none was captured/);
      expect(found["binlog_format"]?.[0]).to.equal("error");
    } finally {
      await db.run("SET GLOBAL userstat = OFF");
    }
  });

  it("says what isn't shown where the server doesn't count, and when nobody wrote", async () => {
    const found = await watchBinlog(source, "binlog", 1);
    expect(found.map(({ level, message }) => [level, message])).to.deep.equal([
      ["warning", "nothing was written while the doctor watched: coverage is not shown"],
      ["warning", "this server doesn't count the changes of tables: coverage is not shown"],
    ]);
  });

  it("says that nothing exact can be said where the binlog isn't written by rows", async () => {
    await db.run("SET GLOBAL binlog_format = 'MIXED'");
    try {
      const [found] = await watchBinlog(source, "trigger", 1);
      expect(found).to.include({ level: "warning" });
      expect(found!.message).to.contain("binlog_format is MIXED");
    } finally {
      await db.run("SET GLOBAL binlog_format = 'ROW'");
    }
  });

  /** Level and message by table (or setting), of what is written while the doctor watches. */
  async function watched(
    capture: CaptureKind,
    write: () => Promise<void>,
  ): Promise<Record<string, readonly string[]>> {
    const findings = await watchBinlog(source, capture, 1_000, write);
    const plain = (subject: string): string => subject.replace(`${db.namespace}.`, "");
    return Object.fromEntries(
      findings.map(({ subject, level, message }) => [plain(subject), [level, message]]),
    );
  }
});
