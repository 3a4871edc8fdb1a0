import { expect } from "chai";
import { rangeRows } from "../../../src/full/bulk/load-table.js";
import { loadsOf, untouched, withLoaded, withLoads, withoutLoad } from "../../../src/full/bulk/loads.js";
import type { FullSyncProgress } from "../../../src/full/full-sync-job.js";

const table = (name: string) => ({ namespace: "public", name });
const planned: FullSyncProgress = {
  tables: [
    { table: table("a"), rows: 0, removed: 0, estimatedRows: 90, phase: "copying", through: ["90"] },
    { table: table("b"), rows: 0, removed: 0, phase: "copying", through: ["9"] },
    { table: table("c"), rows: 0, removed: 0, phase: "copied" },
  ],
};
const empty = new Map([[0, { isEmpty: true }]]);

describe("what goes past the stream", () => {
  it("is all of a table for one target, and nothing of it is left for the stream", () => {
    expect(untouched(planned)).to.deep.equal([0, 1]);
    const progress = withLoads(planned, 0, empty, [0]);
    expect(progress.tables[0]).to.deep.include({
      phase: "loading",
      targets: [0],
      noExtra: true,
      through: ["90"],
    });
    expect(progress.tables.slice(1)).to.deep.equal(planned.tables.slice(1));
    expect(progress.planned).to.deep.equal([0]);
    expect(untouched(progress)).to.deep.equal([1]);
  });

  it("is left to the stream for the other targets, whose turn comes next", () => {
    const first = withLoads(planned, 1, empty, [0, 1]);
    expect(first.tables.map(({ phase, targets }) => [phase, targets])).to.deep.equal([
      ["copying", [0]],
      ["loading", [1]],
      ["copying", undefined],
      ["copied", undefined],
    ]);
    const both = withLoads(first, 0, new Map([[0, { isEmpty: false }]]), [0, 1]);
    expect(
      both.tables.slice(0, 2).map(({ phase, targets, noExtra }) => [phase, targets, noExtra]),
    ).to.deep.equal([
      ["loading", [0], undefined],
      ["loading", [1], true],
    ]);
    expect(loadsOf(both, 1)).to.deep.equal([1]);
  });

  it("moves on range by range; what was refused is copied through the stream, to that target alone, and joined where it can be", () => {
    let progress = withLoads(planned, 0, empty, [0]);
    progress = withLoaded(progress, 0, {
      rows: 20,
      through: ["30"],
      refused: [
        { after: ["10"], through: ["15"] },
        { after: ["15"], through: ["20"] },
      ],
    });
    expect(progress.tables[0]).to.deep.include({ phase: "loading", rows: 20, after: ["30"] });
    expect(progress.tables[1]).to.deep.equal({
      table: table("a"),
      rows: 0,
      removed: 0,
      targets: [0],
      noExtra: true,
      phase: "copying",
      after: ["10"],
      through: ["20"],
    });
    progress = withoutLoad(progress, 0);
    expect(progress.tables.map(({ phase, table: { name } }) => `${name} ${phase}`)).to.deep.equal([
      "a done",
      "a copying",
      "a copying",
      "b copying",
      "c copied",
    ]);
    expect(progress.tables[1]).to.deep.include({ after: ["30"], through: ["90"], rows: 0 });
    expect(untouched(progress)).to.deep.equal([3]);
  });

  it("is done with its last range; a table that wasn't empty is looked through for extra rows", () => {
    const progress = withLoads(planned, 0, new Map([[0, { isEmpty: false }]]), [0]);
    const loaded = withLoaded(progress, 0, { rows: 90, through: ["90"], refused: [] });
    expect(loaded.tables[0]).to.deep.equal({
      table: table("a"),
      rows: 90,
      removed: 0,
      estimatedRows: 90,
      targets: [0],
      phase: "copied",
    });
  });

  it("goes in ranges of a size in bytes, and at a low rate in small ones", () => {
    expect(rangeRows(100, Infinity)).to.equal(200_000);
    expect(rangeRows(1024 * 1024, Infinity)).to.equal(32);
    expect(rangeRows(undefined, Infinity)).to.equal(32_768);
    expect(rangeRows(100, 40)).to.equal(40);
    expect(rangeRows(1024 ** 3, Infinity)).to.equal(1);
  });
});
