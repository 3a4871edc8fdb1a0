import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";

/** Upserts, key changes, deletes, truncates. */
export function rowsContract(context: ContractContext): void {
  // 3 goes the way of small batches, 700 the way of large ones, wherever a target draws the line.
  for (const count of [3, 700]) {
    it(`inserts ${count} rows and writes them again`, async () => {
      const table = contractTable(context.fixture, `upsert_${count}`, {
        id: "integer",
        note: "string",
        amount: "numeric",
      });
      await table.create();
      const lane = await openLane(await context.target(), `upsert-${count}`);
      const target = await lane.table(table);
      const rows = (note: string) =>
        Array.from(
          { length: count },
          (_, n) => [String(n + 1), n % 3 === 0 ? null : `${note} ${n}`, "1.50"] as const,
        );
      await lane.step((transaction) =>
        transaction.upsert(
          target,
          rows("first").map((row) => table.row(...row)),
        ),
      );
      expect(await table.rows()).deep.equal(rows("first"));
      await lane.step((transaction) =>
        transaction.upsert(
          target,
          rows("second").map((row) => table.row(...row)),
        ),
      );
      expect(await table.rows()).deep.equal(rows("second"));
      await lane.close();
    });

    it(`writes ${count} rows half of which are there`, async () => {
      const table = contractTable(context.fixture, `half_${count}`, { id: "integer", note: "string" });
      await table.create();
      const lane = await openLane(await context.target(), `half-${count}`);
      const target = await lane.table(table);
      const row = (n: number, note: string) => table.row(String(n), note);
      const all = Array.from({ length: count }, (_, n) => n + 1);
      await lane.step((transaction) =>
        transaction.upsert(
          target,
          all.filter((n) => n % 2 === 0).map((n) => row(n, "old")),
        ),
      );
      await lane.step((transaction) =>
        transaction.upsert(
          target,
          all.map((n) => row(n, "new")),
        ),
      );
      expect(await table.rows()).deep.equal(all.map((n) => [String(n), "new"]));
      await lane.close();
    });

    it(`keeps the target's value of cells that are not known, in ${count} rows`, async () => {
      const table = contractTable(context.fixture, `unknown_${count}`, {
        id: "integer",
        a: { type: "string", notNull: true },
        b: "string",
      });
      await table.create();
      const lane = await openLane(await context.target(), `unknown-${count}`);
      const target = await lane.table(table);
      const all = Array.from({ length: count }, (_, n) => String(n + 1));
      await lane.step((transaction) =>
        transaction.upsert(
          target,
          all.map((id) => table.row(id, "a", "b")),
        ),
      );
      await lane.step((transaction) =>
        transaction.upsert(
          target,
          all.map((id, n) => (n % 2 === 0 ? table.row(id, 0, "B") : table.row(id, "A", 0))),
        ),
      );
      expect(await table.rows()).deep.equal(
        all.map((id, n) => (n % 2 === 0 ? [id, "a", "B"] : [id, "A", "b"])),
      );
      await lane.close();
    });

    it(`removes ${count} rows by key, and minds no key that isn't there`, async () => {
      const table = contractTable(
        context.fixture,
        `remove_${count}`,
        { a: "integer", b: "string", note: "string" },
        { key: ["b", "a"] },
      );
      await table.create();
      const lane = await openLane(await context.target(), `remove-${count}`);
      const target = await lane.table(table);
      const all = Array.from({ length: count }, (_, n) => String(n + 1));
      await lane.step((transaction) =>
        transaction.upsert(target, [
          ...all.map((a) => table.row(a, "x", "note")),
          table.row("1", "y", "stays"),
        ]),
      );
      await lane.step((transaction) =>
        transaction.remove(target, [...all.map((a) => table.key("x", a)), table.key("z", "1")]),
      );
      expect(await table.rows()).deep.equal([["1", "y", "stays"]]);
      await lane.close();
    });
  }

  it("writes large batches whatever those before them were like", async () => {
    const table = contractTable(context.fixture, "habits", { id: "integer", note: "string" });
    await table.create();
    const lane = await openLane(await context.target(), "habits");
    const target = await lane.table(table);
    const expected = new Map<string, string>();
    const size = 200;
    // Only new rows, only known ones, both, in every order that a target could get used to.
    const starts = [0, 200, 400, 600, 500, 700, 0, 0, 100, 650, 850, 1050, 1250, 1250, 1250, 1350, 3000, 0];
    for (const [round, start] of starts.entries()) {
      const ids = Array.from({ length: size }, (_, n) => String(start + n));
      for (const id of ids) expected.set(id, `round ${round}`);
      await lane.step((transaction) =>
        transaction.upsert(
          target,
          ids.map((id) => table.row(id, `round ${round}`)),
        ),
      );
    }
    const rows = [...expected].sort(([a], [b]) => Number(a) - Number(b));
    expect(await table.rows()).deep.equal(rows);
    await lane.close();
  });

  it("inserts rows with unknown cells when they aren't there", async () => {
    const table = contractTable(context.fixture, "partial_insert", {
      id: "integer",
      a: "string",
      b: "string",
    });
    await table.create();
    const lane = await openLane(await context.target(), "partial-insert");
    const target = await lane.table(table);
    await lane.step((transaction) => transaction.upsert(target, [table.row("1", "a", 0)]));
    expect(await table.rows()).deep.equal([["1", "a", null]]);
    await lane.close();
  });

  it("takes an empty batch and a table that is all key", async () => {
    const table = contractTable(
      context.fixture,
      "all_key",
      { a: "integer", b: "integer" },
      { key: ["a", "b"] },
    );
    await table.create();
    const lane = await openLane(await context.target(), "all-key");
    const target = await lane.table(table);
    const rows = [table.row("1", "2"), table.row("1", "3")];
    await lane.step(async (transaction) => {
      await transaction.upsert(target, []);
      await transaction.remove(target, []);
      await transaction.upsert(target, rows);
      await transaction.upsert(target, rows);
    });
    expect(await table.rows()).deep.equal([
      ["1", "2"],
      ["1", "3"],
    ]);
    await lane.close();
  });

  it("moves a row to another key, or inserts it when it isn't there", async () => {
    const table = contractTable(context.fixture, "moved", { id: "integer", a: "string", b: "string" });
    await table.create();
    const lane = await openLane(await context.target(), "moved");
    const target = await lane.table(table);
    await lane.step((transaction) =>
      transaction.upsert(target, [table.row("1", "a", "b"), table.row("5", "e", "e")]),
    );
    await lane.step((transaction) =>
      transaction.upsert(target, [
        table.moved(["1"], "2", "A", 0),
        table.moved(["8"], "9", "n", "n"),
        table.row("5", "E", 0),
      ]),
    );
    expect(await table.rows()).deep.equal([
      ["2", "A", "b"],
      ["5", "E", "e"],
      ["9", "n", "n"],
    ]);
    await lane.close();
  });

  it("moves a row onto a key whose row was there before", async () => {
    const table = contractTable(context.fixture, "moved_onto", { id: "integer", a: "string" });
    await table.create();
    const lane = await openLane(await context.target(), "moved-onto");
    const target = await lane.table(table);
    await lane.step((transaction) =>
      transaction.upsert(target, [table.row("1", "one"), table.row("2", "two")]),
    );
    await lane.step((transaction) => transaction.upsert(target, [table.moved(["1"], "2", "one")]));
    expect(await table.rows()).deep.equal([["2", "one"]]);
    await lane.close();
  });

  it("moves rows along a chain of keys and around a ring", async () => {
    const table = contractTable(context.fixture, "moved_ring", { id: "integer", a: "string" });
    await table.create();
    const lane = await openLane(await context.target(), "moved-ring");
    const target = await lane.table(table);
    const rows = ["1", "2", "3", "11", "12"].map((id) => table.row(id, `was ${id}`));
    await lane.step((transaction) => transaction.upsert(target, rows));
    await lane.step((transaction) =>
      transaction.upsert(target, [
        table.moved(["2"], "3", "was 2"),
        table.moved(["1"], "2", "was 1"),
        table.moved(["3"], "4", "was 3"),
        table.moved(["11"], "12", "was 11"),
        table.moved(["12"], "11", "was 12"),
      ]),
    );
    expect(await table.rows()).deep.equal([
      ["2", "was 1"],
      ["3", "was 2"],
      ["4", "was 3"],
      ["11", "was 12"],
      ["12", "was 11"],
    ]);
    await lane.close();
  });

  it("empties a table", async () => {
    const table = contractTable(context.fixture, "emptied", { id: "integer" });
    await table.create();
    const lane = await openLane(await context.target(), "emptied");
    const target = await lane.table(table);
    await lane.step((transaction) => transaction.upsert(target, [table.row("1"), table.row("2")]));
    await lane.step(async (transaction) => {
      await transaction.truncate(target);
      await transaction.upsert(target, [table.row("3")]);
    });
    expect(await table.rows()).deep.equal([["3"]]);
    await lane.close();
  });

  it("empties only a share of a table", async () => {
    const table = contractTable(
      context.fixture,
      "shared",
      { origin: "string", id: "integer", note: "string" },
      { key: ["origin", "id"] },
    );
    await table.create();
    const lane = await openLane(await context.target(), "shared");
    const target = await lane.table(table);
    const rows = [table.row("a", "1", "x"), table.row("a", "2", "y"), table.row("b", "1", "z")];
    await lane.step((transaction) => transaction.upsert(target, rows));
    await lane.step(async (transaction) => {
      await transaction.truncate(target, { origin: "a" });
      await transaction.upsert(target, [table.row("a", "3", "new")]);
    });
    expect(await table.rows()).deep.equal([
      ["a", "3", "new"],
      ["b", "1", "z"],
    ]);
    await lane.close();
  });
}
