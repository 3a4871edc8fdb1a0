import { defaultRetryPolicy } from "@lockstep/core";
import { expect } from "chai";
import { retryRules } from "../../src/write/retry-rules.js";

describe("retry rules", () => {
  it("are the defaults where nothing is said", () => {
    expect(retryRules().of("public.orders")).deep.equal(defaultRetryPolicy);
  });

  it("lay a table's own over the common ones, field by field", () => {
    const rules = retryRules({ attempts: 9 }, { "public.orders": { delayMs: 7, maxDelayMs: 9e6 } });
    expect(rules.of("public.orders")).deep.equal({
      ...defaultRetryPolicy,
      attempts: 9,
      delayMs: 7,
      maxDelayMs: 9e6,
    });
    expect(rules.of("public.tags")).deep.equal({ ...defaultRetryPolicy, attempts: 9 });
    expect(rules.longestDelayMs).equal(9e6);
  });
});
