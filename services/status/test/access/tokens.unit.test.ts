import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { matcherOf, tokensOf } from "../../src/access/tokens.js";

describe("tokens", () => {
  const match = matcherOf(
    tokensOf({ token: "the-first-token-of-all", tokens: [{ name: "ada", token: "another-token-of-hers" }] }),
  );

  it("tell whose they are", () => {
    expect(match("the-first-token-of-all")).to.equal("token");
    expect(match("another-token-of-hers")).to.equal("ada");
  });

  it("match whole or not at all", () => {
    for (const wrong of ["", "the-first-token-of-al", "the-first-token-of-all ", "THE-FIRST-TOKEN-OF-ALL"])
      expect(match(wrong), wrong).to.equal(undefined);
  });

  it("may not be empty or share a name", () => {
    const invalid = (error: unknown) => isLockstepError(error, "CONFIG_INVALID");
    expect(() => tokensOf({ token: " " }))
      .to.throw()
      .that.satisfies(invalid);
    const twice = [1, 2].map((n) => ({ name: "ada", token: `token-${n}` }));
    expect(() => tokensOf({ tokens: twice }))
      .to.throw()
      .that.satisfies(invalid);
  });
});
