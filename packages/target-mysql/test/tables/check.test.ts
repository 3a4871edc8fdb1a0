import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { openMysqlLane, rejection, schemaOf, type MysqlLane } from "../mysql-lane.js";

const text = (name: string) => schemaOf("mysql", name, { k: ["text", "varchar(20)"] });

describe("external tables", () => {
  let lane: MysqlLane;

  before(async () => (lane = await openMysqlLane()));
  after(() => lane.close());

  it("names everything that is wrong in one error", async () => {
    await lane.fixture.run(
      "create table narrow (id bigint primary key); create table keyless (id bigint, v int); create table prefixed (k text, primary key (k(3)))",
    );
    const columns = { id: ["integer", "bigint(20)"], v: ["integer", "int(11)"] } as const;
    const error = await rejection(
      lane.tables(
        schemaOf("mysql", "absent", columns),
        schemaOf("mysql", "narrow", columns),
        schemaOf("mysql", "keyless", columns),
        text("prefixed"),
      ),
    );
    expect(isLockstepError(error, "TARGET_TABLE_MISSING"), String(error)).equal(true);
    for (const what of [
      ".absent is missing",
      ".narrow.v is missing",
      ".keyless is none",
      ".prefixed covers only",
    ]) {
      expect(String(error)).contain(what);
    }
  });

  it("names what the server can't be asked for", async () => {
    const schema = schemaOf("mysql", "notes \u{1f600}", {
      id: ["integer", "bigint(20)"],
      "v ": ["integer", "int(11)"],
    });
    const error = await rejection(
      lane.tables(schema, schemaOf("mysql", "n".repeat(65), { id: ["integer", "int"] })),
    );
    expect(isLockstepError(error, "TARGET_NAME"), String(error)).equal(true);
    expect(String(error)).contain('"notes \u{1f600}"').and.contain('"v "').and.contain('"nnn');
  });

  for (const collation of ["utf8mb4_general_ci", "utf8mb4_bin"]) {
    it(`refuses a text key with collation ${collation}, unless that is allowed`, async () => {
      const name = `under_${collation}`;
      await lane.fixture.run(`create table ${name} (k varchar(20) collate ${collation} primary key)`);
      const error = await rejection(lane.tables(text(name)));
      expect(isLockstepError(error, "TARGET_KEY_COLLATION"), String(error)).equal(true);
      expect(String(error)).contain(`${name}.k`);
      const uuid = schemaOf("postgres", name, { k: ["uuid", "uuid"] });
      expect((await lane.tables({ ...uuid, namespace: "app" })).length).equal(1);
    });
  }

  it("takes an insensitive key when that is allowed", async () => {
    const allowing = await openMysqlLane({ allowInsensitiveKeys: true });
    try {
      await allowing.fixture.run("create table loose (k varchar(20) collate utf8mb4_general_ci primary key)");
      expect(await allowing.tables(text("loose"))).length(1);
    } finally {
      await allowing.close();
    }
  });

  it("refuses an engine without transactions", async () => {
    await lane.fixture.run("create table isam (id bigint primary key) engine=myisam");
    const error = await rejection(lane.tables(schemaOf("mysql", "isam", { id: ["integer", "bigint(20)"] })));
    expect(String(error)).contain("MyISAM");
  });

  it("doesn't write columns that the target computes", async () => {
    await lane.fixture.run(
      "create table computed (id bigint primary key, a int, b int generated always as (a + 1) stored)",
    );
    const schema = schemaOf("mysql", "computed", {
      id: ["integer", "bigint(20)"],
      a: ["integer", "int(11)"],
      b: ["integer", "int(11)", { generated: true }],
    });
    const [table] = await lane.tables(schema);
    await lane.step((transaction) =>
      transaction.upsert(table!, [{ key: '["1"]', image: ["1", "2", "999"] }]),
    );
    expect(await lane.fixture.read("select * from computed")).deep.equal([["1", "2", "3"]]);
  });

  it("tells parents, whichever schema comes first", async () => {
    await lane.fixture.run(
      "create table parent (id bigint primary key); create table child (id bigint primary key, p bigint, foreign key (p) references parent (id))",
    );
    const columns = { id: ["integer", "bigint(20)"] } as const;
    const [child] = await lane.tables(
      schemaOf("mysql", "child", { ...columns, p: ["integer", "bigint(20)"] }),
    );
    expect(child!.parents).deep.equal(["app.parent"]);
    const error = lane.step(async (transaction) => {
      const row = { key: '["1"]', image: ["1", "7"] };
      const refused = await rejection(transaction.savepoint(() => transaction.upsert(child!, [row])));
      expect(lane.target.classify(refused).code).equal("TARGET_FOREIGN_KEY");
      expect(await transaction.missingParents(child!, row)).deep.equal([
        { table: "app.parent", key: '["7"]' },
      ]);
    });
    await error;
  });
});
