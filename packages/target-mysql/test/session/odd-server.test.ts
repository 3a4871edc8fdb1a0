import { startMariaDb, type RunningServer } from "@lockstep/testing";
import { expect } from "chai";
import { createConnection } from "mysql2/promise";
import { mysqlTarget } from "../../src/index.js";
import { Session } from "../../src/session/session.js";
import { rejection, row, schemaOf } from "../mysql-lane.js";

const settings = {
  max_allowed_packet: "65536",
  sql_mode: "NO_BACKSLASH_ESCAPES,ANSI_QUOTES",
  default_time_zone: "+05:00",
};

describe("a server with odd settings", () => {
  let server: RunningServer;

  before(async () => (server = await startMariaDb({ settings })));
  after(() => server[Symbol.asyncDispose]());

  it("changes nothing about a session", async () => {
    const admin = await createConnection(server.url);
    await admin.query("SET GLOBAL sql_notes = 0");
    await admin.end();
    const session = await Session.open({ url: server.url, database: "lockstep", statementTimeoutMs: 5000 });
    try {
      const [row] = await session.rows(
        "SELECT @@time_zone AS zone, @@sql_notes AS notes, 'a\\'b' AS quoted_text",
      );
      expect(row).deep.equal({ zone: "+00:00", notes: "1", quoted_text: "a'b" });
      await session.write("CREATE TEMPORARY TABLE v (d decimal(4,1))");
      expect(String(await rejection(session.write("INSERT INTO v VALUES (1.25)")))).contain("TARGET_VALUE");
    } finally {
      await session.close();
    }
  });

  it("with a small max_allowed_packet gets a large set in several packets; a row that fits into none is a row's error", async () => {
    const target = mysqlTarget({ name: "small", url: server.url, schema: "managed" });
    await target.open();
    await using lane = (await target.lane({ source: "app", partition: 0 }))!;
    const from = await lane.register({ position: "0-0", incarnation: "test" });
    const [table] = await lane.tables([
      schemaOf("postgres", "wide", { id: ["integer", "bigint"], v: ["text", "text"] }),
    ]);
    const rows = Array.from({ length: 400 }, (_, n) => row(String(n), "é".repeat(500)));
    const move = { from, to: "1-1", total: 1, incarnation: "test", records: 400 } as const;
    const after = await lane.step(move, (transaction) => transaction.upsert(table!, rows));
    const error = await rejection(
      lane.step({ ...move, from: after, to: "2-1" }, (transaction) =>
        transaction.upsert(table!, [row("1000", "x".repeat(70_000))]),
      ),
    );
    expect(target.classify(error)).deep.equal({
      kind: "row",
      code: "TARGET_VALUE",
      about: "max_allowed_packet",
    });
    await lane.step({ ...move, from: after, to: "2-1" }, (transaction) =>
      transaction.remove(
        table!,
        rows.map((r) => r.key),
      ),
    );
    expect((await lane.checkpoint())?.position).equal("2-1");
    await target.close();
  });
});
