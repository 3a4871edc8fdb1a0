import { expect } from "chai";
import { deciderOf } from "../../src/access/decider.js";

describe("who decides", () => {
  it("is whom the header names, else the token's name, else nobody known", () => {
    expect(deciderOf({ headers: { "x-lockstep-user": " ada " }, tokenName: "ops" })).to.equal("ada");
    expect(deciderOf({ headers: {}, tokenName: "ops" })).to.equal("ops");
    expect(deciderOf({ headers: { "x-lockstep-user": "\n" }, tokenName: undefined })).to.equal("anonymous");
  });

  it("can't forge lines or flood the record", () => {
    expect(deciderOf({ headers: { "x-lockstep-user": "a\u0000b\nc\u202e" }, tokenName: undefined })).to.equal(
      "abc",
    );
    expect(
      deciderOf({ headers: { "x-lockstep-user": "x".repeat(5000) }, tokenName: undefined }),
    ).to.have.length(100);
  });
});
