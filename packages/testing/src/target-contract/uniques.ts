import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { contractTable, type ContractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

/** Tier `transactions`: a valid final state is never a bad row (PROTOCOL.md 17). */
export function uniquesContract(context: ContractContext): void {
  it("never writes another row by a secondary unique key", async () => {
    const table = contractTable(
      context.fixture,
      "other_row",
      { id: "integer", email: "string", note: "string" },
      { uniques: [["email"]] },
    );
    await table.create();
    const lane = await openLane(await context.target(), "other-row");
    const target = await lane.table(table);
    expect(target.hasSecondaryUnique).equal(true);
    await lane.step((transaction) => transaction.upsert(target, [table.row("1", "a@x", "mine")]));
    const session = await context.target();
    const error = await rejection(
      lane.step((transaction) => transaction.upsert(target, [table.row("2", "a@x", "theirs")])),
    );
    expect(session.classify(error)).deep.include({ kind: "row", code: "TARGET_UNIQUE" });
    expect(await table.rows()).deep.equal([["1", "a@x", "mine"]]);
    await lane.close();
  });

  for (const [title, column, values] of [
    ["that may be NULL", "string", ["a@x", "b@x", "c@x"]],
    ["of text", { type: "string", notNull: true }, ["a@x", "b@x", "c@x"]],
    ["of numbers", { type: "integer", notNull: true }, ["1", "2", "3"]],
    ["of bytes", { type: "bytes", notNull: true }, undefined],
    ["of booleans", { type: "boolean", notNull: true }, undefined],
    [
      "of times",
      { type: "timestamp", notNull: true },
      ["2026-01-01 00:00:00.000001", "2026-01-02 00:00:00.000001", "2026-01-03 00:00:00.000001"],
    ],
  ] as const) {
    const name = `swap_${title.replaceAll(" ", "_").toLowerCase()}`;
    it(`swaps unique values ${title} between rows that are there`, async () => {
      const table = contractTable(
        context.fixture,
        name,
        { id: "integer", value: column, note: "string" },
        { uniques: [["value"]] },
      );
      await table.create();
      const texts = values ?? textsOf(table);
      const lane = await openLane(await context.target(), name);
      const target = await lane.table(table);
      const write = (order: readonly string[]) =>
        order.map((value, n) => table.row(String(n + 1), value, "note"));
      await lane.step((transaction) => transaction.upsert(target, write(texts)));
      const swapped = [...texts.slice(1), texts[0]!];
      await lane.step(async (transaction) => {
        const rows = write(swapped);
        await transaction.moveUniqueAside(
          target,
          rows.map(({ key }) => key),
        );
        await transaction.upsert(target, rows);
      });
      expect((await table.rows()).map(([, value]) => value)).deep.equal(swapped);
      await lane.close();
    });
  }

  it("swaps two unique keys at once, one of several columns", async () => {
    const table = contractTable(
      context.fixture,
      "swap_two",
      {
        id: "integer",
        tenant: { type: "integer", notNull: true },
        slug: { type: "string", notNull: true },
        code: "string",
      },
      { uniques: [["tenant", "slug"], ["code"]] },
    );
    await table.create();
    const lane = await openLane(await context.target(), "swap-two");
    const target = await lane.table(table);
    await lane.step((transaction) =>
      transaction.upsert(target, [table.row("1", "7", "a", "x"), table.row("2", "7", "b", "y")]),
    );
    const rows = [table.row("1", "7", "b", "y"), table.row("2", "7", "a", "x")];
    await lane.step(async (transaction) => {
      await transaction.moveUniqueAside(
        target,
        rows.map(({ key }) => key),
      );
      await transaction.upsert(target, rows);
    });
    expect(await table.rows()).deep.equal(rows.map(({ image }) => image));
    await lane.close();
  });

  it("gives a new row the unique value of a row that is deleted after it", async () => {
    const table = contractTable(
      context.fixture,
      "handed_over",
      { id: "integer", email: { type: "string", notNull: true } },
      { uniques: [["email"]] },
    );
    await table.create();
    const lane = await openLane(await context.target(), "handed-over");
    const target = await lane.table(table);
    await lane.step((transaction) => transaction.upsert(target, [table.row("1", "a@x")]));
    await lane.step(async (transaction) => {
      await transaction.moveUniqueAside(target, [table.key("1"), table.key("2")]);
      await transaction.upsert(target, [table.row("2", "a@x")]);
      await transaction.remove(target, [table.key("1")]);
    });
    expect(await table.rows()).deep.equal([["2", "a@x"]]);
    await lane.close();
  });

  it("moves values aside although a row of another table names the row", async () => {
    const parent = contractTable(
      context.fixture,
      "named_parent",
      { id: "integer", code: { type: "string", notNull: true } },
      { uniques: [["code"]] },
    );
    const child = contractTable(
      context.fixture,
      "named_child",
      { id: "integer", parent_id: "integer" },
      { foreignKeys: [{ column: "parent_id", parent: "named_parent" }] },
    );
    await parent.create();
    await child.create();
    const lane = await openLane(await context.target(), "named");
    const [parents, children] = [await lane.table(parent), await lane.table(child)];
    await lane.step(async (transaction) => {
      await transaction.upsert(parents, [parent.row("1", "a"), parent.row("2", "b")]);
      await transaction.upsert(children, [child.row("1", "1"), child.row("2", "2")]);
    });
    const rows = [parent.row("1", "b"), parent.row("2", "a")];
    await lane.step(async (transaction) => {
      await transaction.moveUniqueAside(
        parents,
        rows.map(({ key }) => key),
      );
      await transaction.upsert(parents, rows);
    });
    expect(await parent.rows()).deep.equal(rows.map(({ image }) => image));
    expect(await child.rows()).length(2);
    await lane.close();
  });

  it("calls a row bad whose unique value belongs to a row outside of the batch", async () => {
    const table = contractTable(
      context.fixture,
      "truly_taken",
      { id: "integer", email: "string" },
      { uniques: [["email"]] },
    );
    await table.create();
    const opened = await context.target();
    const lane = await openLane(opened, "truly-taken");
    const target = await lane.table(table);
    await lane.step((transaction) =>
      transaction.upsert(target, [table.row("1", "a@x"), table.row("2", "b@x")]),
    );
    const error = await rejection(
      lane.step(async (transaction) => {
        await transaction.moveUniqueAside(target, [table.key("2")]);
        await transaction.upsert(target, [table.row("2", "a@x")]);
      }),
    );
    expect(opened.classify(error)).deep.include({ kind: "row", code: "TARGET_UNIQUE" });
    expect(await table.rows()).deep.equal([
      ["1", "a@x"],
      ["2", "b@x"],
    ]);
    await lane.close();
  });
}

/** Texts of a unique column for as many rows as its type has values. */
function textsOf({ schema }: ContractTable): readonly string[] {
  const { kind } = schema.columns[1]!;
  const postgres = schema.engine === "postgres";
  if (kind === "boolean") return postgres ? ["true", "false"] : ["1", "0"];
  return ["AA", "BB", "CC"].map((hex) => (postgres ? `\\x${hex.toLowerCase()}` : hex));
}
