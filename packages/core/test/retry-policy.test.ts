import { expect } from "chai";
import { backoffMs, defaultRetryPolicy } from "../src/index.js";

const plain = { delayMs: 1000, maxDelayMs: 60_000, jitter: 0 };

describe("backoff", () => {
  it("doubles from the first failure and stops at the cap", () => {
    expect([1, 2, 3, 6, 7, 500].map((n) => backoffMs(n, plain))).to.deep.equal([
      1000, 2000, 4000, 32_000, 60_000, 60_000,
    ]);
  });

  it("takes up to the jitter's share off", () => {
    expect(backoffMs(1, { ...plain, jitter: 0.5 }, () => 0)).to.equal(1000);
    expect(backoffMs(1, { ...plain, jitter: 0.5 }, () => 0.999)).to.be.within(500, 502);
  });

  it("has bounded defaults", () => {
    expect(backoffMs(defaultRetryPolicy.attempts, defaultRetryPolicy, () => 0)).to.be.at.most(
      defaultRetryPolicy.maxDelayMs,
    );
  });
});
