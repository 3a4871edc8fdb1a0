import type { ChangedPage } from "@lockstep/core";
import { expect } from "chai";
import { nextPlace } from "../../src/incremental/read-changes.js";

const page = (rows: number, value: string, key: string): ChangedPage => ({
  rows: Array.from({ length: rows }, () => ({ key: "[]", image: "[]" })),
  ...(rows > 0 && { last: { value, key: [key] } }),
});

describe("where an incremental pass goes on", () => {
  it("behind a full page among the rows with the same value, as there may be more of them", () => {
    expect(nextPlace({ at: "start" }, page(3, "10:00", "c"), 3)).to.deep.equal({
      at: "group",
      value: "10:00",
      key: ["c"],
    });
    expect(nextPlace({ at: "group", value: "10:00", key: ["c"] }, page(3, "10:00", "f"), 3)).to.deep.equal({
      at: "group",
      value: "10:00",
      key: ["f"],
    });
  });

  it("behind the last of those, above their value", () => {
    const above = { at: "behind", value: "10:00" } as const;
    expect(nextPlace({ at: "group", value: "10:00", key: ["f"] }, page(1, "10:00", "g"), 3)).to.deep.equal(
      above,
    );
    expect(nextPlace({ at: "group", value: "10:00", key: ["f"] }, page(0, "", ""), 3)).to.deep.equal(above);
  });

  it("nowhere, behind a page that isn't full", () => {
    expect(nextPlace({ at: "start" }, page(2, "10:00", "b"), 3)).to.equal(undefined);
    expect(nextPlace({ at: "from", value: "10:00" }, page(0, "", ""), 3)).to.equal(undefined);
    expect(nextPlace({ at: "behind", value: "10:00" }, page(1, "10:01", "b"), 3)).to.equal(undefined);
  });
});
