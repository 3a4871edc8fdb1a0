import type { TableReport, VerifyReport } from "@lockstep/sync";
import { expect } from "chai";
import { compareSums, keptRows, withReport, withUnderway } from "../../src/compare/compare-progress.js";

const table = (name: string, rows: number): TableReport => ({
  table: name,
  rows: { source: 1_000, target: 1_000 - rows },
  missing: rows,
  extra: 0,
  differing: 0,
  letters: 0,
  unsettled: 0,
  unmapped: 0,
  leftOut: [],
  differences: Array.from({ length: rows }, (_, n) => ({
    kind: "differing" as const,
    key: [String(n)],
    columns: ["email"],
    values: { email: { source: "ada@example.com", target: null } },
  })),
  ms: 1,
});

const report = (target: string, tables: readonly TableReport[]): VerifyReport => ({
  source: "shop",
  target,
  sample: 1,
  tables,
  different: tables.reduce((sum, { missing }) => sum + missing, 0),
  letters: 0,
  unsettled: 0,
  unmapped: 0,
  ms: 1,
});

describe("what is kept of a comparison", () => {
  it("names a bounded number of rows, counts all of them, and keeps no value of any", () => {
    const first = withReport({ rows: 0, reports: [] }, report("a", [table("x", 60), table("y", 60)]));
    const both = withReport(first, report("b", [table("x", 5)]));
    const named = both.reports.flatMap(({ tables }) => tables.flatMap(({ differences }) => differences));
    expect(named).to.have.length(keptRows);
    expect(JSON.stringify(both)).to.not.include("ada@example.com");
    expect(named[0]).to.deep.equal({ kind: "differing", key: ["0"], columns: ["email"] });
    expect(compareSums(both)).to.deep.equal({ rows: 3_000, differentRows: 125 });
  });

  it("of a target under way has the place to go on from, bounded alike, until its report is there", () => {
    const first = withReport({ rows: 0, reports: [] }, report("a", [table("x", 60)]));
    const current = { comparison: "y", report: table("y", 30), place: { after: ["7"] } };
    const done = [{ comparison: "x", report: table("x", 30) }];
    const progress = withUnderway(first, "b", { done, current, comparisons: 3 });
    expect(progress).to.deep.include({ rows: 3_000, target: "b", table: "y" });
    const { underway } = progress;
    expect(underway!.current!.place).to.deep.equal({ after: ["7"] });
    const kept = [underway!.done[0]!.report, underway!.current!.report];
    expect(kept.map(({ differences, missing }) => [differences.length, missing])).to.deep.equal([
      [30, 30],
      [10, 30],
    ]);
    expect(JSON.stringify(progress)).to.not.include("ada@example.com");
    const over = withReport(progress, report("b", [table("x", 30), table("y", 31)]));
    expect([over.underway, over.rows]).to.deep.equal([undefined, 3_000]);
  });
});
