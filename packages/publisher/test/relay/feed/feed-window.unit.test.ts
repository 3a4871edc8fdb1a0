import { positionOf, type Position } from "@lockstep/core";
import { expect } from "chai";
import { appliedEverywhere, FeedWindow, isFull, trimPoint } from "../../../src/relay/feed/feed-window.js";

const at = (tick: number): Position => positionOf(tick, 1);
const bounds = { events: 10, bytes: 1_000 };

function filled(entries: number, size = { events: 1, bytes: 10 }): FeedWindow {
  const window = new FeedWindow(at(0));
  for (let tick = 1; tick <= entries; tick++) window.add(at(tick), size);
  return window;
}

describe("feed window", () => {
  it("is full by events or by bytes, and counts an entry without events as one", () => {
    expect(isFull(filled(9), bounds)).to.equal(false);
    expect(isFull(filled(10), bounds)).to.equal(true);
    expect(isFull(filled(10, { events: 0, bytes: 0 }), bounds)).to.equal(true);
    expect(isFull(filled(1, { events: 1, bytes: 1_000 }), bounds)).to.equal(true);
  });

  it("trims what everybody applied, and no entry that an acknowledgement lies inside of", () => {
    const window = filled(10);
    expect(trimPoint(window, bounds, { all: at(7), fastest: at(7) })).to.equal(at(7));
    expect(trimPoint(window, bounds, { all: positionOf(7, 0), fastest: positionOf(7, 0) })).to.equal(at(6));
    expect(trimPoint(window, bounds, { all: at(0), fastest: at(0) })).to.equal(undefined);
  });

  it("trims past a slow target down to half, never past the fastest", () => {
    const window = filled(10);
    expect(trimPoint(window, bounds, { all: at(0), fastest: at(10) })).to.equal(at(5));
    expect(trimPoint(window, bounds, { all: at(0), fastest: at(3) })).to.equal(at(3));
    expect(trimPoint(window, bounds, { all: at(6), fastest: at(10) })).to.equal(at(6));
  });

  it("does not let a target that is one entry ahead of the slowest wait for it", () => {
    const window = filled(10);
    expect(trimPoint(window, bounds, { all: at(1), fastest: at(10) })).to.equal(at(5));
  });

  it("trims everything when no target needs anything", () => {
    expect(trimPoint(filled(4), bounds, { all: undefined, fastest: undefined })).to.equal(at(4));
  });

  it("forgets what is trimmed and never goes back", () => {
    const window = filled(10);
    window.trimTo(at(4));
    expect(window.size).to.deep.equal({ events: 6, bytes: 60 });
    window.trimTo(at(2));
    expect(window.trimmedThrough).to.equal(at(4));
    expect(appliedEverywhere(window, at(5))).to.equal(at(5));
    expect(appliedEverywhere(window, at(4))).to.equal(undefined);
  });

  it("stays small over a long life", () => {
    const window = new FeedWindow(at(0));
    for (let tick = 1; tick <= 100_000; tick++) {
      window.add(at(tick), { events: 1, bytes: 1 });
      if (tick % 100 === 0) window.trimTo(at(tick - 10));
    }
    expect(window.size.events).to.equal(10);
    expect([...window.oldest()]).to.have.length(10);
  });

  it("counts what it took over from another relay until that is applied", () => {
    const window = new FeedWindow(at(9), { events: 10, bytes: 100 });
    expect(isFull(window, bounds)).to.equal(true);
    expect(window.trimmedThrough).to.equal(undefined);
    expect(trimPoint(window, bounds, { all: at(8), fastest: at(8) })).to.equal(undefined);
    expect(trimPoint(window, bounds, { all: at(8), fastest: at(9) })).to.equal(at(9));
  });
});
