import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { decodeCursor, encodeCursor } from "../../src/fleet/cursor.js";
import { digestOf } from "../../src/letters/letter-query.js";

const refused = (error: unknown) => isLockstepError(error, "REQUEST_INVALID");

describe("a cursor", () => {
  const state = { cursors: { reporting: "abc", warehouse: null }, done: ["audit"] };

  it("comes back as it was", () => {
    expect(decodeCursor(encodeCursor(state, "d"), "d")).to.deep.equal(state);
  });

  it("is refused with another filter", () => {
    const cursor = encodeCursor(state, digestOf({ code: "TARGET_CHECK" }));
    expect(() => decodeCursor(cursor, digestOf({ code: "TARGET_UNIQUE" })))
      .to.throw()
      .that.satisfies(refused);
  });

  it("belongs to a filter whatever the order of its words", () => {
    expect(digestOf({ code: "a", text: "b" })).to.equal(digestOf({ text: "b", code: "a" }));
  });

  for (const text of ["", "x", "e30", Buffer.from('{"q":"d","c":{"a":1},"d":[]}').toString("base64url")]) {
    it(`is refused when it reads ${JSON.stringify(text)}`, () => {
      expect(() => decodeCursor(text, "d"))
        .to.throw()
        .that.satisfies(refused);
    });
  }
});
