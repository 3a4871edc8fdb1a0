import type { TableReport, VerifyReport } from "@lockstep/sync";
import { expect } from "chai";
import { compareSums, keptRows, withReport } from "../../src/compare/compare-progress.js";

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
    const first = withReport({ rows: 2_000, reports: [] }, report("a", [table("x", 60), table("y", 60)]));
    const both = withReport(first, report("b", [table("x", 5)]));
    const named = both.reports.flatMap(({ tables }) => tables.flatMap(({ differences }) => differences));
    expect(named).to.have.length(keptRows);
    expect(JSON.stringify(both)).to.not.include("ada@example.com");
    expect(named[0]).to.deep.equal({ kind: "differing", key: ["0"], columns: ["email"] });
    expect(compareSums(both)).to.deep.equal({ rows: 2_000, differentRows: 125 });
  });
});
