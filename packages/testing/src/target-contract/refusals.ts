import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

/** What errors mean: about a row, or about the target. */
export function refusalsContract(context: ContractContext): void {
  // One row goes the way of small batches, 300 the way of large ones.
  for (const count of [1, 300]) {
    for (const [code, cells] of [
      ["TARGET_NOT_NULL", [null, "5", "ok"]],
      ["TARGET_CHECK", ["note", "-5", "ok"]],
      ["TARGET_VALUE", ["note", "99999999999", "ok"]],
      ["TARGET_VALUE", ["note", "5", "x".repeat(41)]],
    ] as const) {
      const [note, amount, short] = cells;
      const what = note === null ? "NULL" : short === "ok" ? amount : "a text that is too long";
      it(`tells that a row is refused for ${what} (${code}), among ${count}`, async () => {
        const name = `refused_${code.toLowerCase()}_${count}_${what.replaceAll(/[^a-z0-9]/gi, "_").toLowerCase()}`;
        const table = contractTable(
          context.fixture,
          name,
          { id: "integer", note: { type: "string", notNull: true }, amount: "integer", short: "string" },
          { check: "amount >= 0" },
        );
        await table.create();
        const target = await context.target();
        const lane = await openLane(target, name);
        const rows = await lane.table(table);
        const good = Array.from({ length: count - 1 }, (_, n) => table.row(String(n + 2), "note", "1", "ok"));
        const error = await rejection(
          lane.step((transaction) =>
            transaction.upsert(rows, [...good, table.row("1", note, amount, short)]),
          ),
        );
        const fault = target.classify(error);
        expect(fault).deep.include({ kind: "row", code });
        // Constraint or column at most: never a value (PROTOCOL.md 33).
        for (const value of ["99999999999", "xxxx", "-5"]) expect(fault.about ?? "").not.contain(value);
        expect(await table.rows()).deep.equal([]);
        await lane.close();
      });
    }
  }

  it("goes on without a restart when a person has corrected the table", async () => {
    const narrow = contractTable(context.fixture, "corrected", { id: "integer", amount: "integer" });
    const wide = contractTable(context.fixture, "corrected", { id: "integer", amount: "bigint" });
    await narrow.create();
    const target = await context.target();
    const lane = await openLane(target, "corrected");
    const rows = await lane.table(wide);
    for (const count of [1, 300]) {
      const write = Array.from({ length: count }, (_, n) => wide.row(String(n), "9007199254740993"));
      await context.fixture.run("drop table corrected");
      await narrow.create();
      const error = await rejection(lane.step((transaction) => transaction.upsert(rows, write)));
      expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_VALUE" });
      await context.fixture.run("drop table corrected");
      await wide.create();
      await lane.step((transaction) => transaction.upsert(rows, write));
      expect(await wide.rows()).length(count);
    }
    await lane.close();
  });

  it("takes a table that is gone for a fault of the target", async () => {
    const table = contractTable(context.fixture, "dropped", { id: "integer" });
    await table.create();
    const target = await context.target();
    const lane = await openLane(target, "dropped");
    const rows = await lane.table(table);
    await context.fixture.run("drop table dropped");
    const error = await rejection(lane.step((transaction) => transaction.upsert(rows, [table.row("1")])));
    expect(target.classify(error).kind).equal("systemic");
    await lane.close();
  });

  it("takes a target that can't be reached, and whatever it doesn't know, for a fault of the target", async () => {
    const away = new URL(context.fixture.url);
    away.port = "1";
    const target = context.closing(context.fixture.target({ name: "away", url: away.href }));
    const error = await rejection(target.open());
    expect(target.classify(error)).deep.include({ kind: "systemic", code: "TARGET_UNAVAILABLE" });
    expect(isLockstepError(error) ? error.message : "").not.contain(away.password || "no password");
    for (const odd of [new Error("odd"), "odd", undefined, null, { code: "ECONNRESET" }]) {
      expect(target.classify(odd).kind).equal("systemic");
    }
  });
}
