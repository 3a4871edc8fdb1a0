import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { createConnection } from "mysql2/promise";
import { openMysqlLane, rejection, row, schemaOf, type MysqlLane } from "../mysql-lane.js";

const numbers = schemaOf("mysql", "numbers", { id: ["integer", "bigint(20)"], v: ["integer", "int(11)"] });

describe("a lane's transaction", () => {
  let lane: MysqlLane;

  beforeEach(async () => {
    lane = await openMysqlLane({ schema: "managed", statementTimeoutMs: 2000 });
    await lane.tables(numbers);
  });
  afterEach(() => lane.close());

  it("writes nothing more after a deadlock rolled it back, even when the savepoint swallows the error", async () => {
    const [table] = await lane.tables(numbers);
    const before = await lane.step((transaction) =>
      transaction.upsert(table!, [row("1", "1"), row("2", "2")]),
    );
    const other = await createConnection(lane.fixture.url);
    try {
      const error = await rejection(
        lane.step(async (transaction) => {
          await transaction.upsert(table!, [row("1", "10")]);
          await other.query("START TRANSACTION");
          // More changes make the other one the dearer victim.
          await other.query("INSERT INTO numbers SELECT seq + 100, 1 FROM seq_1_to_500");
          await other.query("UPDATE numbers SET v = 20 WHERE id = 2");
          const theirs = other.query("UPDATE numbers SET v = 20 WHERE id = 1");
          await eventually(
            async () =>
              // Not by InnoDB's list, which is made anew only when nobody has asked for it for a tenth of a second.
              (
                await lane.fixture.read(
                  "SELECT 1 FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_row_lock_current_waits' AND VARIABLE_VALUE > 0",
                )
              ).length > 0,
          );
          await transaction
            .savepoint(() => transaction.upsert(table!, [row("2", "10")]))
            .catch(() => undefined);
          await theirs;
          await transaction.upsert(table!, [row("3", "3")]);
        }),
      );
      expect(lane.target.classify(error)).deep.equal({ kind: "systemic", code: "TARGET_UNAVAILABLE" });
      await other.query("ROLLBACK");
    } finally {
      await other.end();
    }
    expect(await lane.fixture.read("select id, v from numbers order by id")).deep.equal([
      ["1", "1"],
      ["2", "2"],
    ]);
    expect((await lane.session.checkpoint())?.position).equal(before.position);
  });

  it("says whose changes it writes, to triggers that ask", async () => {
    const [table] = await lane.tables(numbers);
    const other = await createConnection(lane.fixture.url);
    try {
      await other.query("CREATE TABLE origins (origin TEXT)");
      await other.query(
        "CREATE TRIGGER ask AFTER INSERT ON numbers FOR EACH ROW INSERT INTO origins VALUES (@lockstep_origin)",
      );
      await lane.step((transaction) => transaction.upsert(table!, [row("1", "1")]));
      await other.query("INSERT INTO numbers VALUES (2, 2)");
    } finally {
      await other.end();
    }
    expect(await lane.fixture.read("SELECT origin FROM origins")).deep.equal([["app"], [null]]);
  });

  it("gives up on a lock that another session holds, as systemic", async () => {
    const [table] = await lane.tables(numbers);
    await lane.step((transaction) => transaction.upsert(table!, [row("1", "1")]));
    const other = await createConnection(lane.fixture.url);
    try {
      await other.query("START TRANSACTION");
      await other.query("UPDATE numbers SET v = 2");
      const error = await rejection(lane.step((transaction) => transaction.upsert(table!, [row("1", "3")])));
      expect(lane.target.classify(error).kind).equal("systemic");
    } finally {
      await other.end();
    }
    await lane.step((transaction) => transaction.upsert(table!, [row("1", "4")]));
    expect(await lane.fixture.read("select v from numbers")).deep.equal([["4"]]);
  });

  it("keeps staged lines across steps and forgets them", async () => {
    await lane.step((transaction) => transaction.stage("1-1", ["a\t'1'", "b\\"]));
    await lane.step((transaction) => transaction.stage("1-2", ["c"]));
    await lane.step(async (transaction) => {
      const first = await transaction.staged(0, 2);
      expect(first.map(({ line }) => line)).deep.equal(["a\t'1'", "b\\"]);
      expect((await transaction.staged(first[1]!.n, 2)).map(({ line }) => line)).deep.equal(["c"]);
      await transaction.clearStaged();
      expect(await transaction.staged(0, 2)).deep.equal([]);
    });
  });
});
