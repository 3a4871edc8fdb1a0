import { expect } from "chai";
import fc from "fast-check";
import type { EventRow } from "../../src/event-row.js";
import { arrangement } from "../../src/mysql/arrange.js";

const row = (tx: string, id: number, ends: boolean): EventRow => [
  tx,
  String(id),
  ...Array<null>(11).fill(null),
  ends ? "1" : "0",
];

/** Rows in id order, as the transactions of `txs` take turns. */
const rowsOf = (txs: readonly number[]): EventRow[] =>
  txs.map((tx, i) => row(`t${tx}`, i + 1, txs.lastIndexOf(tx) === i));

/** The order by last id, by definition. */
const sorted = (rows: readonly EventRow[]): EventRow[] => {
  const last = new Map(rows.map((r) => [r[0], Number(r[1])]));
  return rows.toSorted((a, b) => last.get(a[0])! - last.get(b[0])! || Number(a[1]) - Number(b[1]));
};

const arranged = (rows: readonly EventRow[], maxKept: number): EventRow[] => {
  const order = arrangement(maxKept);
  const result = rows.flatMap((r) => {
    const next = order.add(r) ?? [];
    if (!("tx" in next)) return next;
    return rows.filter(
      (x) => x[0] === next.tx && Number(x[1]) >= Number(next.from) && Number(x[1]) <= Number(next.to),
    );
  });
  expect(order.open).to.equal(0);
  return result;
};

describe("arranging a tick", () => {
  it("orders transactions by their last id and rows by id, however few rows it may keep", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 40 }),
        fc.integer({ min: 0, max: 20 }),
        (txs, maxKept) => {
          const rows = rowsOf(txs);
          expect(arranged(rows, maxKept)).to.deep.equal(sorted(rows));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("sets the largest transaction aside when too many rows are kept, and says where to read it", () => {
    const order = arrangement(2);
    const answers = rowsOf([1, 1, 2, 1, 2, 1]).map((r) => order.add(r));
    expect(answers.at(-1)).to.deep.equal({ tx: "t1", from: "1", to: "6" });
    expect(answers[4]).to.have.length(2);
  });

  it("says that a transaction's end is missing", () => {
    const order = arrangement(10);
    order.add(row("a", 1, false));
    expect(order.open).to.equal(1);
  });
});
