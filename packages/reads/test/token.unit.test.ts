import { expect } from "chai";
import { readToken, writeToken } from "../src/token.js";

describe("a read token", () => {
  it("carries marks in a text that a header takes", () => {
    const marks = new Map([
      ["lane:shop", "12-7 uuid/3"],
      ["postgres", "0/16B3748"],
    ]);
    const token = writeToken(marks);
    expect(token).to.match(/^[\w.-]+$/);
    expect(readToken(token)).to.deep.equal(marks);
  });

  for (const token of [
    "",
    "1.",
    "2.e30",
    "1.e",
    `1.${Buffer.from("[]").toString("base64url")}`,
    `1.${"a".repeat(9_000)}`,
  ])
    it(`is refused when it is ${token.slice(0, 12) || "empty"}`, () => {
      expect(() => readToken(token)).to.throw("READ_TOKEN_INVALID");
    });

  it("is refused when it is a list, as of a header that was sent twice", () => {
    expect(() => readToken(["1.e30", "1.e30"] as unknown as string)).to.throw("READ_TOKEN_INVALID");
  });
});
