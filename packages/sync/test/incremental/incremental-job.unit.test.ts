import { expect } from "chai";
import {
  type IncrementalProgress,
  type IncrementalTable,
  planIncremental,
  without,
} from "../../src/incremental/incremental-job.js";

const table = (name: string, column = "changed_at"): IncrementalTable => ({
  table: { namespace: "public", name },
  column,
  kind: "timestamp",
  overlapMs: 1_000,
});
const targets = (...ids: string[]) => ids.map((id) => ({ id, name: `target ${id}` }));
const read = (name: string, column = "changed_at") => ({
  table: { namespace: "public", name },
  column,
  rows: 5,
  removed: 1,
  since: "10:00",
  marks: [],
});
const before: IncrementalProgress = { targets: ["a"], tables: [read("invoice"), read("line")], passes: 3 };
const plan = (to: readonly string[], tables: readonly IncrementalTable[], from?: IncrementalProgress) =>
  planIncremental({ targets: targets(...to), tables }, from);
const sinces = ({ tables }: Pick<IncrementalProgress, "tables">) =>
  tables.map(({ table: { name }, since }) => [name, since]);

describe("where an incremental sync begins", () => {
  it("at the first rows, when there was none before", () => {
    const planned = plan(["a"], [table("invoice")]);
    expect(sinces(planned)).to.deep.equal([["invoice", undefined]]);
    expect(planned).to.deep.include({ targets: ["a"], passes: 0 });
  });

  it("where the last job ended, counting anew; tables that it isn't about keep their place", () => {
    const planned = plan(["a"], [table("invoice")], before);
    expect(sinces(planned)).to.deep.equal([
      ["invoice", "10:00"],
      ["line", "10:00"],
    ]);
    expect(planned.tables[0]).to.deep.include({ rows: 0, removed: 0 });
  });

  it("at the first rows of a table whose change column is another one now", () => {
    expect(sinces(plan(["a"], [table("invoice", "version")], before))[0]).to.deep.equal([
      "invoice",
      undefined,
    ]);
  });

  it("with everything for a target that is new, and nothing twice for the others", () => {
    const planned = plan(["a", "b"], [table("invoice")], before);
    expect(planned.targets).to.deep.equal(["a"]);
    expect(sinces(planned)[0]).to.deep.equal(["invoice", "10:00"]);
    expect(planned.joining!.targets).to.deep.equal(["b"]);
    expect(sinces(planned.joining!)).to.deep.equal([["invoice", undefined]]);
  });

  it("in the middle of what a new target was getting", () => {
    const stopped = { ...before, joining: { targets: ["b"], tables: [read("invoice")] } };
    expect(sinces(plan(["a", "b"], [table("invoice")], stopped).joining!)).to.deep.equal([
      ["invoice", "10:00"],
    ]);
  });

  it("anew for the targets that are asked for, or for all", () => {
    expect(plan(["a"], [table("invoice")], without(before, ["a"])).tables[0]!.since).to.equal(undefined);
    const two = { ...before, targets: ["a", "b"] };
    const planned = plan(["a", "b"], [table("invoice")], without(two, ["b"]));
    expect([planned.targets, planned.joining!.targets]).to.deep.equal([["a"], ["b"]]);
  });
});
