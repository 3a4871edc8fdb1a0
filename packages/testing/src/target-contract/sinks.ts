import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { incarnation, openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

/** Stores without transactions: at least once, each row in order, and no late write over a newer one (PROTOCOL.md 19). */
export function sinksContract(context: ContractContext): void {
  const things = (name: string) => contractTable(context.fixture, name, { id: "integer", note: "string" });

  it("says that it has no transactions", async () => {
    expect((await context.target()).capabilities.transactions).equal(false);
  });

  it("takes the same step again after one whose end was lost", async () => {
    const table = things("again");
    const lane = await openLane(await context.target(), "again");
    const target = await lane.table(table);
    await lane.step((transaction) =>
      transaction.upsert(target, [table.row("1", "old"), table.row("2", "old")]),
    );
    const once = await rejection(
      lane.step(async (transaction) => {
        await transaction.upsert(target, [table.row("1", "new"), table.row("3", "new")]);
        await transaction.remove(target, [table.key("2")]);
        throw new Error("the end is lost");
      }),
    );
    expect(once).instanceOf(Error);
    await lane.close();
    const next = await openLane(await context.target(), "again");
    const rows = await next.table(table);
    await next.step(async (transaction) => {
      await transaction.upsert(rows, [table.row("1", "new"), table.row("3", "new")]);
      await transaction.remove(rows, [table.key("2")]);
    });
    expect(await table.rows()).deep.equal([
      ["1", "new"],
      ["3", "new"],
    ]);
    await next.close();
  });

  it("writes nothing twice in one session when a step is tried again, and everything after a truncate", async () => {
    const table = things("window");
    const lane = await openLane(await context.target(), "window");
    const target = await lane.table(table);
    await rejection(
      lane.step(async (transaction) => {
        await transaction.upsert(target, [table.row("1", "a")]);
        await transaction.truncate(target);
        await transaction.upsert(target, [table.row("1", "b"), table.row("2", "b")]);
        throw new Error("the end is lost");
      }),
    );
    await lane.step(async (transaction) => {
      await transaction.upsert(target, [table.row("1", "a")]);
      await transaction.truncate(target);
      await transaction.upsert(target, [table.row("1", "b"), table.row("2", "b")]);
    });
    expect(await table.rows()).deep.equal([
      ["1", "b"],
      ["2", "b"],
    ]);
    await lane.close();
  });

  for (const removed of [false, true]) {
    it(`lets no late write of a former owner over a newer ${removed ? "delete" : "row"}`, async () => {
      const table = things(`late_${removed}`);
      const name = `late-${removed}`;
      const mine = await openLane(await context.target(), name);
      const target = await mine.table(table);
      await mine.step((transaction) => transaction.upsert(target, [table.row("1", "first")]));
      // Its step is under way when it loses the lane; what it writes then can't be stopped.
      let write = (): Promise<void> => Promise.resolve();
      let release = (): void => undefined;
      const begun = new Promise<void>((resolve) => {
        const stuck = mine.step(async (transaction) => {
          write = () => transaction.upsert(target, [table.row("1", "late")]);
          resolve();
          await new Promise<void>((end) => (release = end));
        });
        stuck.catch(() => undefined);
      });
      await begun;
      await context.fixture.killLanes();
      await mine.session.lost;
      const theirs = await openLane(await context.target(), name);
      const same = await theirs.table(table);
      await theirs.step((transaction) =>
        removed
          ? transaction.remove(same, [table.key("1")])
          : transaction.upsert(same, [table.row("1", "newer")]),
      );
      await write();
      release();
      expect(await table.rows()).deep.equal(removed ? [] : [["1", "newer"]]);
      // And a row that comes back lives.
      await theirs.step((transaction) => transaction.upsert(same, [table.row("1", "newest")]));
      expect(await table.rows()).deep.equal([["1", "newest"]]);
      await Promise.all([mine.close(), theirs.close()]);
    });
  }

  it("sets the one row apart that the store refuses, and keeps the others", async function () {
    const { refusedText } = context.fixture;
    const table = things("refuses");
    const target = await context.target();
    const lane = await openLane(target, "refuses");
    const rows = await lane.table(table);
    const write = Array.from({ length: 20 }, (_, n) =>
      table.row(String(n), n === 7 && refusedText ? refusedText : "good"),
    );
    const step = lane.step((transaction) => transaction.upsert(rows, write));
    if (refusedText === undefined) {
      await step;
      expect(await table.rows()).length(20);
    } else {
      const fault = target.classify(await rejection(step));
      expect(fault).deep.include({ kind: "row" });
      expect(JSON.stringify(fault)).not.contain(refusedText);
      const { checkpoint } = lane;
      await lane.session.step(
        { from: checkpoint, to: lane.next(), total: 1, incarnation, records: 1 },
        (transaction) =>
          transaction.upsert(
            rows,
            write.filter(({ key }) => key !== table.key("7")),
          ),
      );
      expect(await table.rows()).length(19);
    }
    await lane.close();
  });

  it("takes a store that can't be reached, and whatever it doesn't know, for a fault of the store", async () => {
    const away = new URL(context.fixture.url);
    away.port = "1";
    const target = await context.target({ url: away.href });
    const lane = await openLane(target, "away");
    const table = things("away");
    const error = await rejection(
      (async () => {
        const rows = await lane.table(table);
        await lane.step((transaction) => transaction.upsert(rows, [table.row("1", "a")]));
      })(),
    );
    expect(target.classify(error)).deep.include({ kind: "systemic", code: "TARGET_UNAVAILABLE" });
    expect((await lane.session.checkpoint())?.position).equal("0-0");
    for (const odd of [new Error("odd"), "odd", undefined])
      expect(target.classify(odd).kind).equal("systemic");
    await lane.close();
  });
}
