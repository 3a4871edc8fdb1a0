import { startMariaDb, type RunningServer } from "@lockstep/testing";
import { expect } from "chai";
import { mysqlTarget } from "../../src/index.js";
import { rejection, row, schemaOf } from "../mysql-lane.js";

describe("a server with a small max_allowed_packet", function () {
  this.timeout(60_000);
  let server: RunningServer;

  before(async () => (server = await startMariaDb({ settings: { max_allowed_packet: "65536" } })));
  after(() => server[Symbol.asyncDispose]());

  it("gets a large set in several packets, and a row that fits into none is a row's error", async () => {
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
