import { expect } from "chai";
import fc from "fast-check";
import { collectRuns, conditionsOf } from "../../src/mysql/id-runs.js";

const collected = (ids: readonly bigint[]): ReturnType<typeof collectRuns>["runs"] => {
  const { add, runs } = collectRuns();
  for (const id of ids) add(id);
  return runs;
};

describe("runs of ids", () => {
  it("means the ids that were read and no other", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.bigInt(1n, 60n)), (ids) => {
        const sorted = ids.toSorted((a, b) => (a < b ? -1 : 1));
        const meant = collected(sorted).flatMap(({ from, to }) =>
          Array.from({ length: Number(to - from) + 1 }, (_, i) => from + BigInt(i)),
        );
        expect(meant).to.deep.equal(sorted);
      }),
    );
  });

  it("is written as ranges and lists", () => {
    expect(conditionsOf(collected([1n, 2n, 3n, 5n, 9n, 10n, 18446744073709551615n]))).to.deep.equal([
      "id BETWEEN 1 AND 3",
      "id BETWEEN 9 AND 10",
      "id IN (5, 18446744073709551615)",
    ]);
  });
});
