import { expect } from "chai";
import { planFullSync } from "../../src/full/full-sync-job.js";
import { Pace } from "../../src/full/pace.js";

const surveyed = (name: string, ...parents: string[]) => ({
  table: { namespace: "s", name },
  parents: parents.map((parent) => `s.${parent}`),
  through: ["9"],
});
const order = (...tables: ReturnType<typeof surveyed>[]) =>
  planFullSync(tables).tables.map(({ table }) => table.name);

describe("the plan of a full sync", () => {
  it("has parents first, and leaves the order otherwise", () => {
    expect(order(surveyed("c", "b"), surveyed("z"), surveyed("b", "a"), surveyed("a"))).to.deep.equal([
      "a",
      "b",
      "c",
      "z",
    ]);
  });

  it("breaks circles, and passes over parents that aren't copied", () => {
    expect(order(surveyed("a", "b"), surveyed("b", "a", "elsewhere"))).to.have.members(["a", "b"]);
  });

  it("has nothing to copy of an empty table", () => {
    const { through: _, ...empty } = surveyed("a");
    expect(planFullSync([empty]).tables[0]).to.deep.include({ phase: "copied", rows: 0 });
  });
});

describe("the pace of a full sync", () => {
  it("waits so that no more than the rate is copied, also after a pause", () => {
    const pace = new Pace(100);
    expect(pace.after(10, 0)).to.equal(100);
    expect(pace.after(10, 100)).to.equal(100);
    expect(pace.after(10, 5_000)).to.equal(100);
    expect(pace.after(10, 5_000)).to.equal(200);
    expect(pace.most()).to.equal(10);
    expect(new Pace(undefined).after(1e9, 0)).to.equal(0);
  });
});
