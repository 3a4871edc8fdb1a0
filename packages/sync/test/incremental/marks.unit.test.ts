import type { ChangeMark } from "@lockstep/core";
import { expect } from "chai";
import { isSettled, thinned } from "../../src/incremental/marks.js";

const markAt = (at: number): ChangeMark => ({ value: String(at), highest: null, ticket: "", at });

describe("marks of an incremental sync", () => {
  it("settle when their transactions are over", () => {
    const time = { kind: "timestamp", overlapMs: 1_000 } as const;
    expect(isSettled(markAt(0), "ended", time, 0)).to.equal(true);
    expect(isSettled(markAt(0), "open", time, 1e9)).to.equal(false);
  });

  it("settle by the overlap alone where transactions can't be seen: a time has it subtracted, a number must be so old", () => {
    expect(isSettled(markAt(0), "unseen", { kind: "timestamp", overlapMs: 1_000 }, 0)).to.equal(true);
    const number = { kind: "number", overlapMs: 1_000 } as const;
    expect(isSettled(markAt(0), "unseen", number, 999)).to.equal(false);
    expect(isSettled(markAt(0), "unseen", number, 1_000)).to.equal(true);
  });

  it("are never many: the oldest and the newest stay", () => {
    let marks: readonly ChangeMark[] = [];
    for (let i = 0; i < 10_000; i++) marks = thinned([...marks, markAt(i)]);
    expect(marks.length).to.be.lessThan(33);
    expect([marks[0]!.at, marks.at(-1)!.at]).to.deep.equal([0, 9_999]);
  });
});
