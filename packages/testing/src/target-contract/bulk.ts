import { type BulkLayout, isLockstepError, type Target } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { type ContractLane, openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

const text: BulkLayout = { format: "text" };

async function* lines(...rows: readonly string[]): AsyncGenerator<Buffer> {
  yield Buffer.from(rows.map((row) => `${row}\n`).join(""));
}

/** Rows that come past the stream, while lanes are held. */
export function bulkContract(context: ContractContext): void {
  const columns = { id: "integer", note: "string" } as const;
  const lender = async (target: Target, lane: ContractLane, source: string) => {
    const { epoch } = (await lane.session.checkpoint())!;
    const held = [{ partition: 0, epoch, session: lane.session }];
    return context.closing(target.loader!(source, held));
  };

  it("inserts all rows or none, merges where it is told to, and counts them", async () => {
    const target = await context.target();
    const table = contractTable(context.fixture, "loaded", columns);
    await table.create();
    const lane = await openLane(target, "loaded");
    const into = await lane.table(table);
    const loader = await lender(target, lane, "loaded");
    expect(await loader.load(into, text, lines("1\ta\\tb", "2\t\\N"))).equal(2);
    const error = await rejection(loader.load(into, text, lines("3\tx", "2\tthere")));
    expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_UNIQUE" });
    expect(await loader.count(into, 10)).equal(2);
    expect(await loader.count(into, 1)).equal(1);
    expect(await loader.merge(into, lines("3\tx", "2\tthere"))).equal(2);
    expect(await table.rows()).deep.equal([
      ["1", "a\tb"],
      ["2", "there"],
      ["3", "x"],
    ]);
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from("4\tlast\n");
      throw new Error("the source is away");
    };
    expect(String(await rejection(loader.load(into, text, failing())))).match(/the source is away/);
    expect(await loader.count(into, 10)).equal(3);
    expect((await lane.session.checkpoint())!.recordsSynced).equal(4);
    await lane.close();
  });

  it("writes nothing for who doesn't hold the lanes any more, and fences out who owns one", async () => {
    const target = await context.target();
    const table = contractTable(context.fixture, "fenced", columns);
    await table.create();
    const lane = await openLane(target, "fenced");
    const into = await lane.table(table);
    const loader = await lender(target, lane, "fenced");
    const taken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from("1\tearly\n");
      await target.unseat!({ source: "fenced", partition: 0 });
      yield Buffer.from("2\tlate\n");
    };
    const loaded = await rejection(loader.load(into, text, taken()));
    expect(isLockstepError(loaded, "TARGET_FENCED"), String(loaded)).equal(true);
    const merged = await rejection(loader.merge(into, lines("3\tlate")));
    expect(isLockstepError(merged, "TARGET_FENCED"), String(merged)).equal(true);
    expect(await loader.count(into, 10)).equal(0);
    expect(isLockstepError(await rejection(lane.step(async () => undefined)), "TARGET_FENCED")).equal(true);
    const nobody = await rejection(target.unseat!({ source: "nobody", partition: 0 }));
    expect(isLockstepError(nobody, "LANE_UNKNOWN")).equal(true);
    await lane.close();
  });
}
