import { expect } from "chai";
import { isSealed, sealerOf } from "../../src/mapping/seal.js";

const { seal, open } = sealerOf("a secret of enough characters");

describe("a sealer", () => {
  it("gives a text back, whatever it holds", () => {
    for (const text of ["", "a@x", '\u0000\n"ü€😀', "x".repeat(10_000)]) {
      expect(open(seal(text))).equal(text);
      expect(isSealed(seal(text))).equal(true);
    }
  });

  it("gives equal texts equal seals, and others other ones", () => {
    expect(seal("a")).equal(seal("a")).and.not.equal(seal("b"));
    expect(sealerOf("another secret of that length").seal("a")).not.equal(seal("a"));
  });

  it("leaves alone what isn't its own", () => {
    const foreign = sealerOf("another secret of that length").seal("a");
    for (const text of ["a@x", "sealed:1:", "sealed:1:xyz", foreign, `${seal("a").slice(0, -4)}AAA=`])
      expect(open(text)).equal(text);
  });

  it("are told from texts that only begin like one", () => {
    for (const text of ["sealed:1:", "sealed:1:abc", `sealed:1:${"not base64! ".repeat(9)}`, `${seal("x")} `])
      expect(isSealed(text), text).equal(false);
  });
});
