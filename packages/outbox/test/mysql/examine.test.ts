import type { ActiveForeignKey } from "@lockstep/core";
import { startMariaDb } from "@lockstep/testing";
import { expect } from "chai";
import { createConnection } from "mysql2/promise";
import { examineMysql, mysqlOutboxWriter, type MysqlExamineOptions, mysqlTriggers } from "../../src/index.js";

describe("an examination of a MariaDB source", () => {
  let server: Awaited<ReturnType<typeof startMariaDb>>;
  let app: Awaited<ReturnType<typeof createConnection>>;

  const run = async (sql: string): Promise<Record<string, unknown>[]> => {
    const [rows] = await app.query(sql);
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  };

  before(async () => {
    server = await startMariaDb({ settings: { performance_schema: "ON" } });
    app = await createConnection(server.url);
    const writer = mysqlOutboxWriter();
    await writer.ensure(run);
    await app.query("CREATE TABLE items (id INT PRIMARY KEY)");
    await app.query("CREATE TABLE old_items (id INT PRIMARY KEY) ENGINE = MyISAM");
    await app.query("CREATE TABLE loose (name TEXT)");
    const namespace = "lockstep";
    const notes = ["items", "old_items"].map((name) => ({
      table: { namespace, name },
      op: "insert" as const,
      key: ["1"],
    }));
    await writer.describe(
      run,
      notes.map(({ table }) => table),
    );
    for (const name of ["items", "old_items"]) await app.query(`INSERT INTO ${name} VALUES (1)`);
    await writer.append(run, notes, {});
  });
  after(async () => {
    await app?.end();
    await server?.[Symbol.asyncDispose]();
  });

  const seen = async (more: Partial<MysqlExamineOptions>, check: string): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await examineMysql({ connection: server.url, capture: "subscriber", ...more }))
        .filter((finding) => finding.check === check)
        .map((finding) => [finding.subject, finding.level]),
    );

  it("names tables that aren't captured, and those that can't be rolled back", async () => {
    expect(await seen({}, "capture.tables")).to.deep.equal({
      "lockstep.loose": "warning",
      "lockstep.old_items": "error",
      source: "ok",
    });
    expect(await seen({}, "source.version")).to.deep.equal({ source: "ok" });
    expect(await seen({}, "source.clock")).to.deep.equal({ source: "ok" });
    expect(await seen({}, "source.durability")).to.deep.equal({ innodb_flush_log_at_trx_commit: "warning" });
  });

  it("says that triggers don't see TRUNCATE", async () => {
    expect(await seen({ capture: "trigger" }, "capture.truncate")).to.deep.equal({ source: "warning" });
    expect(await seen({}, "capture.truncate")).to.deep.equal({});
  });

  it("says where cascades need gap locks that the server's isolation doesn't give", async () => {
    await app.query("CREATE TABLE top (id INT PRIMARY KEY)");
    await app.query("CREATE TABLE middle (id INT PRIMARY KEY, up INT REFERENCES top (id) ON DELETE CASCADE)");
    await app.query("CREATE TABLE low (id INT PRIMARY KEY, up INT REFERENCES middle (id) ON DELETE CASCADE)");
    const key = (child: string, parent: string): ActiveForeignKey => ({
      child: { namespace: "lockstep", name: child },
      parent: { namespace: "lockstep", name: parent },
      childColumns: ["up"],
      parentColumns: ["id"],
      onDelete: "cascade",
      onUpdate: "none",
    });
    const keys = [key("middle", "top"), key("low", "middle")];
    const triggers = mysqlTriggers({ foreignKeys: () => Promise.resolve(keys) });
    const tables = ["top", "middle", "low"].map((name) => ({ namespace: "lockstep", name }));
    for (const sql of (await triggers.plan(run, tables)).statements) await app.query(sql);
    expect(await seen({ capture: "trigger" }, "capture.isolation")).to.deep.equal({});
    await app.query("SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED");
    try {
      expect(await seen({ capture: "trigger" }, "capture.isolation")).to.deep.equal({ top: "warning" });
    } finally {
      await app.query("SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      for (const sql of (await triggers.removal(run)).statements) await app.query(sql);
      await app.query("DROP TABLE low, middle, top");
    }
  });

  it("names a table whose writes went past capture, and one that isn't captured and written to", async () => {
    const watching = seen({ windowMs: 1_000 }, "capture.coverage");
    const writing = setInterval(() => {
      void app.query("INSERT IGNORE INTO items VALUES (FLOOR(RAND() * 1e9))");
      void app.query("INSERT INTO loose VALUES ('x')");
    }, 50);
    try {
      expect(await watching).to.deep.equal({ "lockstep.items": "error", "lockstep.loose": "warning" });
    } finally {
      clearInterval(writing);
    }
  });

  it("doesn't call it proven when nothing was written", async () => {
    expect(await seen({ windowMs: 50 }, "capture.coverage")).to.deep.equal({ source: "warning" });
  });
});
