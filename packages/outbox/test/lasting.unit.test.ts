import { expect } from "chai";
import { lasting } from "../src/lasting.js";

function stage(maxAgeMs = 7 * 24 * 3_600_000) {
  const clock = { now: 5_000 };
  const look = lasting({ maxAgeMs }, () => clock.now);
  return {
    look: (limit: bigint, afterMs = 60_000): bigint => {
      clock.now += afterMs;
      return look(limit);
    },
  };
}

describe("what lasts", () => {
  it("is what was said at every look for an hour, and goes on from there", () => {
    const { look } = stage();
    const hour = Array.from({ length: 60 }, () => look(7n));
    expect(new Set(hour)).to.deep.equal(new Set([0n]));
    expect(look(9n)).to.equal(7n);
    for (let minute = 0; minute < 59; minute++) expect(look(9n)).to.equal(7n);
    expect(look(12n)).to.equal(9n);
  });

  it("is not what a clock said that jumped and was put right, nor anything after it sooner", () => {
    const { look } = stage();
    for (let minute = 0; minute < 59; minute++) look(7n);
    expect([look(0n), look(7n), look(7n, 3_500_000)]).to.deep.equal([0n, 0n, 0n]);
    expect(look(7n, 3_600_000)).to.equal(7n);
  });

  it("is taken back when the limit is", () => {
    const { look } = stage();
    look(7n);
    expect([look(7n, 3_600_000), look(3n), look(7n)]).to.deep.equal([7n, 3n, 3n]);
  });

  it("needs no longer than the limit's own age", () => {
    expect(stage(0).look(7n)).to.equal(7n);
  });
});
