import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { laneIdOf, letterIdOf, parseLaneId, parseLetterId } from "../../src/fleet/addresses.js";

describe("addresses", () => {
  it("of lanes can be taken apart again", () => {
    const lane = { source: "shop", target: "reporting-2", partition: 3 };
    expect(laneIdOf(lane)).to.equal("shop~reporting-2~3");
    expect(parseLaneId(laneIdOf(lane))).to.deep.equal(lane);
  });

  it("of letters can be taken apart again, whatever the target's own id looks like", () => {
    expect(parseLetterId(letterIdOf("reporting", "a~b/c"))).to.deep.equal({
      target: "reporting",
      id: "a~b/c",
    });
  });

  for (const text of [
    "",
    "a",
    "a~b",
    "a~b~",
    "~b~0",
    "a~~0",
    "a~b~x",
    "a~b~-1",
    "a~b~1.5",
    "a~b~0~c",
    "a~b~99999",
  ]) {
    it(`are not lanes when they read ${JSON.stringify(text)}`, () => {
      expect(() => parseLaneId(text))
        .to.throw()
        .that.satisfies((e: unknown) => isLockstepError(e, "LANE_UNKNOWN"));
    });
  }

  for (const text of ["", "a", "~a", "a~"]) {
    it(`are not letters when they read ${JSON.stringify(text)}`, () => {
      expect(() => parseLetterId(text))
        .to.throw()
        .that.satisfies((e: unknown) => isLockstepError(e, "LETTER_UNKNOWN"));
    });
  }
});
