import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { rejection } from "./rejection.js";

/** Lines of a transaction that is too large for one step (PROTOCOL.md 4). */
export function stagingContract(context: ContractContext): void {
  it("keeps lines in order over steps and sessions, and pages through them", async () => {
    const target = await context.target();
    const lane = await openLane(target, "staged");
    const lines = Array.from({ length: 1_200 }, (_, n) => `line ${n}\t"\\,{}'\n☃`);
    await lane.step((transaction) => transaction.stage("1-500", lines.slice(0, 500)));
    await lane.step((transaction) => transaction.stage("1-1200", lines.slice(500)));
    await lane.close();

    const again = await openLane(target, "staged");
    await again.step(async (transaction) => {
      const read: string[] = [];
      for (let after = 0; ;) {
        const page = await transaction.staged(after, 500);
        if (page.length === 0) break;
        expect(page.length).most(500);
        read.push(...page.map(({ line }) => line));
        after = page[page.length - 1]!.n;
      }
      expect(read).deep.equal(lines);
      await transaction.clearStaged();
      expect(await transaction.staged(0, 10)).deep.equal([]);
    });
    await again.close();
  });

  it("gives few of them at a time when they are large, and one that is larger than a page by itself", async () => {
    const lane = await openLane(await context.target(), "wide");
    const megabytes = [3, 3, 3, 9, 1];
    const lines = megabytes.map((n) => String(n).repeat(n * 1_000_000));
    for (const line of lines) await lane.step((transaction) => transaction.stage("1-1", [line]));
    await lane.step(async (transaction) => {
      const pages: number[][] = [];
      for (let after = 0; ;) {
        const page = await transaction.staged(after, 500);
        if (page.length === 0) break;
        pages.push(page.map(({ line }) => line.length / 1_000_000));
        after = page[page.length - 1]!.n;
      }
      expect(pages.flat()).deep.equal(megabytes);
      expect(pages).deep.equal([[3, 3], [3], [9], [1]]);
      await transaction.clearStaged();
    });
    await lane.close();
  });

  it("keeps lanes apart, and nothing of a step that fails", async () => {
    const target = await context.target();
    const [mine, theirs] = [await openLane(target, "apart", 0), await openLane(target, "apart", 1)];
    await mine.step((transaction) => transaction.stage("1-1", ["mine"]));
    await theirs.step((transaction) => transaction.stage("1-1", ["theirs"]));
    await rejection(
      mine.step(async (transaction) => {
        await transaction.stage("1-2", ["never"]);
        throw new Error("scripted");
      }),
    );
    await mine.step(async (transaction) => {
      expect((await transaction.staged(0, 10)).map(({ line }) => line)).deep.equal(["mine"]);
      await transaction.clearStaged();
    });
    await theirs.step(async (transaction) => {
      expect((await transaction.staged(0, 10)).map(({ line }) => line)).deep.equal(["theirs"]);
    });
    await Promise.all([mine.close(), theirs.close()]);
  });
}
