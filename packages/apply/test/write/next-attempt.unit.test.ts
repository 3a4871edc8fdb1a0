import { defaultRetryPolicy } from "@lockstep/core";
import { expect } from "chai";
import { nextAttempt } from "../../src/write/next-attempt.js";

const chance = { now: () => 1_000_000, random: () => 0 };

describe("nextAttempt", () => {
  it("doubles the delay up to its cap", () => {
    const dues = [1, 2, 3, 4].map((attempts) => nextAttempt(attempts, 20, defaultRetryPolicy, chance));
    expect(dues).deep.equal(
      [1_000, 2_000, 4_000, 8_000].map((ms) => ({ state: "retrying", dueAt: 1_000_000 + ms })),
    );
    expect(nextAttempt(19, 20, defaultRetryPolicy, chance)).deep.equal({
      state: "retrying",
      dueAt: 1_300_000,
    });
  });

  it("takes jitter off", () => {
    const next = nextAttempt(1, 5, defaultRetryPolicy, { ...chance, random: () => 0.999999 });
    expect(next).deep.include({ state: "retrying" }).and.have.property("dueAt").within(1_000_500, 1_000_501);
  });

  it("is dead when attempts are used up", () => {
    expect(nextAttempt(5, 5, defaultRetryPolicy, chance)).deep.equal({ state: "dead" });
  });
});
