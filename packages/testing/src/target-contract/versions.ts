import type { GuardedRows, RowVersion, TargetTransaction } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { type ContractLane, openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";

const own: RowVersion = {
  stamp: 1_795_970_000_000_000,
  node: "a'\\",
  seen: { "a'\\": 1_795_970_000_000_000, b: 2 },
};
const came: RowVersion = { ...own, from: "b" };

/** Versions of rows that two nodes write: kept in the lane's transaction, locked for whoever comes next. */
export function versionsContract(context: ContractContext): void {
  async function opened(source: string) {
    const table = contractTable(context.fixture, `versions_${source}`, { id: "integer" });
    await table.create();
    const target = await context.target();
    const lane = await openLane(target, source);
    const rows = await lane.table(table);
    const inStep = <T>(
      work: (guarded: GuardedRows, transaction: TargetTransaction) => Promise<T>,
    ): Promise<T> => resultOf(lane, (transaction) => work(transaction.guarded!, transaction));
    return { target, lane, rows, inStep };
  }

  it("are given back as they were put, and none where none was put", async () => {
    const { lane, rows, inStep } = await opened("kept");
    const keys = ['["3"]', '["1"]', '["2"]', `["${"x".repeat(255)}"]`];
    const none = await inStep(async (guarded) => {
      const before = await guarded.versions(rows, keys);
      await guarded.putVersions(rows, [
        { key: keys[0]!, version: own, deleted: false },
        { key: keys[1]!, version: came, deleted: true },
      ]);
      await guarded.putVersions(rows, [{ key: keys[3]!, version: own, deleted: true }]);
      await guarded.putVersions(rows, [{ key: keys[3]!, version: came, deleted: false }]);
      return before;
    });
    expect(none).deep.equal(keys.map(() => undefined));
    const [first, second, third, fourth] = await inStep((guarded) => guarded.versions(rows, keys));
    expect([first, third, fourth]).deep.equal([{ version: own }, undefined, { version: came }]);
    expect(second!.version).deep.equal(came);
    expect(second!.deletedMsAgo).within(0, 60_000);
    await lane.close();
  });

  it("go back with the savepoint that they were put in", async () => {
    const { lane, rows, inStep } = await opened("taken_back");
    await inStep(async (guarded, transaction) => {
      const put = transaction.savepoint(async () => {
        await guarded.putVersions(rows, [{ key: '["1"]', version: own, deleted: false }]);
        throw new Error("refused");
      });
      await put.catch(() => undefined);
    });
    expect(await inStep((guarded) => guarded.versions(rows, ['["1"]']))).deep.equal([undefined]);
    await lane.close();
  });

  it("are locked, also of rows that have none: a second lane waits, and reads what the first has put", async () => {
    const { target, lane, rows, inStep } = await opened("locked");
    const other = await openLane(target, "locked_too");
    const order: string[] = [];
    let second: Promise<unknown> | undefined;
    await inStep(async (guarded) => {
      await guarded.versions(rows, ['["1"]']);
      second = resultOf(other, async (transaction) => {
        const [held] = await transaction.guarded!.versions(rows, ['["1"]']);
        order.push(`second reads ${held?.version.node ?? "nothing"}`);
      });
      await guarded.putVersions(rows, [{ key: '["1"]', version: own, deleted: false }]);
      order.push("first has put");
    });
    await second;
    expect(order).deep.equal(["first has put", "second reads a'\\"]);
    await Promise.all([lane.close(), other.close()]);
  });

  it("of deleted rows are forgotten after a while, some at a time; those of rows that are there are not", async () => {
    const { lane, rows, inStep } = await opened("pruned");
    const keys = ["1", "2", "3", "4"].map((key) => `["${key}"]`);
    await inStep((guarded) =>
      guarded.putVersions(
        rows,
        keys.map((key, i) => ({ key, version: own, deleted: i < 3 })),
      ),
    );
    expect(await lane.session.pruneVersions!(60_000, 10)).equal(0);
    await new Promise((resolve) => void setTimeout(resolve, 5));
    expect(await lane.session.pruneVersions!(1, 2)).equal(2);
    expect(await lane.session.pruneVersions!(1, 10)).least(1);
    const left = await inStep((guarded) => guarded.versions(rows, keys));
    expect(left.map((held) => held !== undefined)).deep.equal([false, false, false, true]);
    await lane.close();
  });
}

async function resultOf<T>(
  lane: ContractLane,
  work: (transaction: TargetTransaction) => Promise<T>,
): Promise<T> {
  let result: T;
  await lane.step(async (transaction) => void (result = await work(transaction)));
  return result!;
}
