import { lastWriteWins } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { openSyncRig, type SyncRig } from "./rig.js";

describe("a full sync into a target whose rows others write, too", () => {
  let rig: SyncRig;
  const table = (name: string): string =>
    `create table ${name} (id int primary key, v int, note varchar(40))`;
  before(async () => {
    rig = await openSyncRig({
      kind: "postgres",
      capture: "trigger",
      targets: { mirror: "postgres" },
      conflicts: { mirror: { "*": lastWriteWins({ column: "v" }) } },
      tables: ["item", "bare"],
      setup: [
        table("item"),
        table("bare"),
        "insert into item values (1, 1, 'same'), (2, 1, 'older'), (3, 1, 'new')",
        "insert into bare select n, 1, 'source' from generate_series(1, 2000) n",
        "analyze",
      ],
      external: [table("item"), table("bare"), "insert into item values (1, 1, 'same'), (2, 9, 'local')"],
    });
  });
  after(() => rig?.[Symbol.asyncDispose]());

  const rows = async (sql: string): Promise<string[]> =>
    (await rig.targets["mirror"]!.query(sql)).map((row) => Object.values(row).join("|"));
  const recorded = () => rows("select table_name, row_key, outcome from lockstep.conflict order by id");

  it("goes through the stream, so that every row has its base, and decides where both sides differ", async () => {
    expect((await rig.lockstep("sync", "full", "--target", "mirror")).code).equal(0);
    expect(await rows("select * from item order by id")).deep.equal(["1|1|same", "2|9|local", "3|1|new"]);
    expect(await rows("select count(*) from lockstep.row_base")).deep.equal(["2003"]);
    expect(await recorded()).deep.equal(['public.item|["2"]|target']);
  });

  it("knows from then on whose a row is", async () => {
    await rig.targets["mirror"]!.query("update bare set v = 5, note = 'local' where id in (1, 2)");
    await rig.source.query("update bare set v = id * 4, note = 'source again' where id < 4");
    await eventually(async () => (await rows("select note from bare where id = 3"))[0] === "source again", {
      what: "the change at the target",
    });
    expect(await rows("select note from bare where id < 3 order by id")).deep.equal([
      "local",
      "source again",
    ]);
    const { conflicts } = (await rig.lockstep("conflicts", "--entity", "bare", "--json")).json<{
      conflicts: readonly { key: string; outcome: string }[];
    }>();
    expect(conflicts.map(({ key, outcome }) => `${key} ${outcome}`)).members([
      '["1"] target',
      '["2"] source',
    ]);
  });
});
