import { expect } from "chai";
import fc from "fast-check";
import { parentsFirst } from "../../src/batch/order-tables.js";

describe("parentsFirst", () => {
  it("puts parents before children and keeps source order otherwise", () => {
    const tables = [
      { id: "lines", parents: ["orders", "products"] },
      { id: "tags", parents: [] },
      { id: "orders", parents: ["customers"] },
      { id: "products", parents: [] },
      { id: "customers", parents: [] },
    ];
    expect(parentsFirst(tables)).to.deep.equal(["tags", "products", "customers", "orders", "lines"]);
  });

  it("ignores parents that are not in the batch, and a table's own", () => {
    expect(parentsFirst([{ id: "a", parents: ["a", "elsewhere"] }])).to.deep.equal(["a"]);
  });

  it("falls back to source order inside a cycle", () => {
    const cycle = [
      { id: "b", parents: ["a"] },
      { id: "a", parents: ["b"] },
      { id: "c", parents: ["a"] },
    ];
    expect(parentsFirst(cycle)).to.deep.equal(["b", "a", "c"]);
  });

  it("joins the parents of two schemas of one table", () => {
    const tables = [
      { id: "a", parents: [] },
      { id: "a", parents: ["b"] },
      { id: "b", parents: [] },
    ];
    expect(parentsFirst(tables)).to.deep.equal(["b", "a"]);
  });

  it("orders every graph without cycles", () => {
    const graph = fc
      .integer({ min: 1, max: 8 })
      .chain((n) =>
        fc.tuple(
          fc.array(fc.array(fc.nat(n - 1), { maxLength: 3 }), { minLength: n, maxLength: n }),
          fc.shuffledSubarray([...Array(n).keys()], { minLength: n }),
        ),
      );
    fc.assert(
      fc.property(graph, ([edges, order]) => {
        const tables = order.map((i) => ({
          id: String(i),
          parents: edges[i]!.filter((parent) => parent < i).map(String),
        }));
        const sorted = parentsFirst(tables);
        expect(sorted).to.have.members(tables.map((t) => t.id));
        for (const { id, parents } of tables) {
          for (const parent of parents) expect(sorted.indexOf(parent)).to.be.below(sorted.indexOf(id));
        }
      }),
    );
  });
});
