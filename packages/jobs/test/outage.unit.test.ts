import { LockstepError } from "@lockstep/core";
import { expect } from "chai";
import type { OpenSync } from "../src/open-sync.js";
import { explained, isOutage } from "../src/outage.js";

/** Takes whatever it doesn't know for an outage, as targets do. */
const targets = [
  { target: { classify: () => ({ kind: "systemic", code: "TARGET_UNAVAILABLE" }) } },
] as unknown as OpenSync["targets"];

describe("what a job waits for", () => {
  it("is what passes: never a mistake, which comes back at every try", () => {
    expect(isOutage({ targets }, new Error("read ECONNRESET"))).equal(true);
    expect(isOutage({ targets }, new LockstepError("SOURCE_UNAVAILABLE", "away"))).equal(true);
    expect(isOutage({ targets }, new LockstepError("ENTITY_UNKNOWN", "gone"))).equal(false);
    for (const mistake of [new TypeError("x is undefined"), new RangeError(), new SyntaxError("in JSON")])
      expect(isOutage({ targets }, mistake)).equal(false);
  });

  it("is told by its kind and place, not by words that may quote a row", () => {
    const error = explained(new TypeError("a secret is not a function"));
    expect(error.code).equal("JOB_UNEXPECTED");
    expect(error.message)
      .match(/^TypeError \(outage\.unit\.test\.(ts|js):\d+\)/)
      .and.not.include("secret");
    expect(explained(Object.assign(new Error("a secret"), { code: "42601" })).message).include(
      "Error 42601 (",
    );
    expect(explained("a secret").message).match(/^string \[/);
    const own = new LockstepError("JOB_LIVE", "x");
    expect(explained(own)).equal(own);
  });
});
