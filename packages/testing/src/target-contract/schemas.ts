import { isLockstepError, type TableSchema } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

/** Tables that Lockstep makes, and tables that it finds. */
export function schemasContract(context: ContractContext): void {
  it("checks external tables and names everything that is wrong in one error", async () => {
    const there = contractTable(context.fixture, "ext_there", { id: "integer", note: "string" });
    await there.create();
    await contractTable(
      context.fixture,
      "ext_key",
      { id: "integer", other: { type: "integer", notNull: true } },
      { key: ["other"] },
    ).create();
    const lane = await openLane(await context.target(), "external");
    const error = await rejection(
      lane.session.tables([
        contractTable(context.fixture, "ext_gone", { id: "integer" }).schema,
        contractTable(context.fixture, "ext_there", {
          id: "integer",
          note: "string",
          lost: "string",
          away: "text",
        }).schema,
        contractTable(context.fixture, "ext_key", { id: "integer", other: "integer" }).schema,
      ]),
    );
    expect(isLockstepError(error), String(error)).equal(true);
    const { message, code } = error as Error & { code: string };
    expect(code).match(/^TARGET_(TABLE_MISSING|COLUMN_MISSING|KEY_MISMATCH)$/);
    for (const name of ["ext_gone", "ext_there", "lost", "away", "ext_key"]) expect(message).contain(name);
    const [table] = await lane.session.tables([there.schema]);
    expect(table?.schema).deep.equal(there.schema);
    await lane.close();
  });

  it("writes an external table whose columns stand in another order and that has more of them", async () => {
    await contractTable(
      context.fixture,
      "reordered",
      { extra: "string", note: "string", id: "integer" },
      { key: ["id"] },
    ).create();
    const table = contractTable(context.fixture, "reordered", { id: "integer", note: "string" });
    const lane = await openLane(await context.target(), "reordered");
    const target = await lane.table(table);
    await context.fixture.run("insert into reordered (id, note, extra) values (1, 'old', 'kept')");
    for (const count of [2, 300]) {
      const rows = Array.from({ length: count }, (_, n) => table.row(String(n + 1), `note ${n}`));
      await lane.step((transaction) => transaction.upsert(target, rows));
      expect(await table.rows()).deep.equal(rows.map(({ image }) => image));
    }
    expect(await context.fixture.read("select extra from reordered where id = 1")).deep.equal([["kept"]]);
    await lane.close();
  });

  it("makes managed tables from the source's schema, once for several lanes", async () => {
    const table = contractTable(
      context.fixture,
      "managed",
      { a: "bigint", b: "string", note: "text", at: "timestamptz" },
      { key: ["b", "a"] },
    );
    const target = await context.target({ schema: "managed" });
    const lanes = [await openLane(target, "managed", 0), await openLane(target, "managed", 1)];
    const [made] = await Promise.all(lanes.map((lane) => lane.table(table)));
    const row = table.row(
      "9007199254740993",
      "key",
      "text",
      context.fixture.engine === "postgres" ? "2026-01-02 03:04:05.000006+00" : "2026-01-02 03:04:05.000006",
    );
    await lanes[0]!.step((transaction) => transaction.upsert(made!, [row]));
    expect(await table.rows()).deep.equal([row.image]);
    expect(made).deep.include({ parents: [], selfReferencing: false, hasSecondaryUnique: false });
    expect(made!.keyOrder).deep.equal(["b", "a"]);
    for (const lane of lanes) await lane.close();
  });

  it("adds columns of a newer schema to a managed table, and goes on writing the older one", async () => {
    const before = contractTable(context.fixture, "grown", { id: "integer", note: "string" });
    const after = contractTable(context.fixture, "grown", {
      id: "integer",
      note: "string",
      extra: { type: "string", notNull: true },
    });
    const lane = await openLane(await context.target({ schema: "managed" }), "grown");
    const [old, grown] = await lane.session.tables([before.schema, after.schema]);
    await lane.step(async (transaction) => {
      await transaction.upsert(grown!, [after.row("1", "a", "x"), after.row("2", "b", "y")]);
      await transaction.upsert(old!, [before.row("1", "A"), before.row("3", "c")]);
    });
    expect(await after.rows()).deep.equal([
      ["1", "A", "x"],
      ["2", "b", "y"],
      ["3", "c", null],
    ]);
    await lane.close();
  });

  it("goes on writing a managed table whose source lost a column", async () => {
    const before = contractTable(context.fixture, "shrunk", {
      id: "integer",
      gone: { type: "string", notNull: true },
      note: "string",
    });
    const after = contractTable(context.fixture, "shrunk", { id: "integer", note: "string" });
    const lane = await openLane(await context.target({ schema: "managed" }), "shrunk");
    await lane.table(before);
    const target = await lane.table(after);
    await lane.step((transaction) => transaction.upsert(target, [after.row("1", "a")]));
    expect(await after.rows()).deep.equal([["1", "a"]]);
    await lane.close();
  });

  it("widens a managed column", async () => {
    const narrow = contractTable(context.fixture, "widened", {
      id: "integer",
      count: "integer",
      note: "string",
    });
    const wide = contractTable(context.fixture, "widened", { id: "integer", count: "bigint", note: "text" });
    const lane = await openLane(await context.target({ schema: "managed" }), "widened");
    const old = await lane.table(narrow);
    await lane.step((transaction) => transaction.upsert(old, [narrow.row("1", "5", "short")]));
    const target = await lane.table(wide);
    const long = "x".repeat(500);
    await lane.step((transaction) => transaction.upsert(target, [wide.row("2", "9007199254740993", long)]));
    expect(await wide.rows()).deep.equal([
      ["1", "5", "short"],
      ["2", "9007199254740993", long],
    ]);
    await lane.close();
  });

  it("refuses a managed table whose key is another one by now", async () => {
    const before = contractTable(context.fixture, "rekeyed", { id: "integer", other: "integer" });
    const after = contractTable(
      context.fixture,
      "rekeyed",
      { id: "integer", other: "integer" },
      { key: ["other"] },
    );
    const lane = await openLane(await context.target({ schema: "managed" }), "rekeyed");
    await lane.table(before);
    const error = await rejection(lane.table(after));
    expect(isLockstepError(error, "TARGET_KEY_MISMATCH"), String(error)).equal(true);
    await lane.close();
  });

  it("takes names that need quoting", async () => {
    const table = contractTable(context.fixture, 'Odd "name" `of` a table', {
      'Id "1"': "integer",
      "select `x`": "string",
      "it's %s \\ $1": "string",
    });
    const lane = await openLane(await context.target({ schema: "managed" }), "odd 'names' \"");
    const target = await lane.table(table);
    for (const count of [1, 300]) {
      const rows = Array.from({ length: count }, (_, n) => table.row(String(n), `a${count}`, "b"));
      await lane.step((transaction) => transaction.upsert(target, rows));
      expect(await table.rows()).deep.equal(rows.map(({ image }) => image));
    }
    await lane.step((transaction) => transaction.remove(target, [table.key("0")]));
    expect(await table.rows()).length(299);
    await lane.close();
  });

  it("refuses two source tables that would be written to one", async () => {
    const { schema } = contractTable(context.fixture, "same_name", { id: "integer" });
    const lane = await openLane(await context.target({ schema: "managed" }), "same-name");
    const other: TableSchema = { ...schema, namespace: "elsewhere", fingerprint: "0123456789abcdef" };
    await lane.session.tables([schema]);
    const error = await rejection(lane.session.tables([other]));
    expect(isLockstepError(error), String(error)).equal(true);
    expect(String(error)).contain("elsewhere.same_name");
    await lane.close();
  });
}
