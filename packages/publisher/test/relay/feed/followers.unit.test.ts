import { endOfTick, positionOf, type Position, type RegisteredTarget } from "@lockstep/core";
import { expect } from "chai";
import {
  acksOf,
  aheadOfSource,
  beginAt,
  followersOf,
  isHistoryGone,
} from "../../../src/relay/feed/followers.js";

const target = (id: string, position: Position, more: Partial<RegisteredTarget> = {}): RegisteredTarget => ({
  id,
  name: id,
  address: `host/${id}`,
  partition: 0,
  position,
  state: "following",
  seenAt: 0,
  ...more,
});
const facts = (registered: readonly RegisteredTarget[], acks: Record<string, Position> = {}) => ({
  registered,
  acks: new Map(Object.entries(acks)),
  partition: 0,
  top: positionOf(5, 9),
});

describe("followers of a stream", () => {
  it("are the registered targets, as far as registry or stream know them", () => {
    const registered = [target("a", "1-1"), target("b", "3-1")];
    expect(followersOf(facts(registered, { a: "2-2", b: "2-9", stranger: "1-1" }))).to.deep.equal([
      { id: "a", position: "2-2" },
      { id: "b", position: "3-1" },
    ]);
  });

  it("are not those of another partition, those passed by, and the user's queues", () => {
    const registered = [
      target("a", "1-1", { partition: 1 }),
      target("b", "1-1", { state: "needs-backfill" }),
      target("c", "1-1", { address: "bullmq queue orders" }),
    ];
    expect(followersOf(facts(registered))).to.deep.equal([]);
  });

  it("are not those ahead of the source; the end of its last tick is not ahead", () => {
    const registered = [target("a", "1-1"), target("b", endOfTick(5))];
    const ahead = facts(registered, { a: "6-1" });
    expect(followersOf(ahead).map((f) => f.id)).to.deep.equal(["b"]);
    expect(aheadOfSource(ahead)).to.deep.equal(["a"]);
  });

  it("are together as far as the slowest and as the fastest", () => {
    const followers = [
      { id: "a", position: positionOf(10, 1) },
      { id: "b", position: positionOf(9, 1) },
    ];
    expect(acksOf(followers)).to.deep.equal({ all: "9-1", fastest: "10-1" });
    expect(acksOf([])).to.deep.equal({ all: undefined, fastest: undefined });
  });

  it("begin a new epoch at the oldest position needed, those left behind before aside", () => {
    const followers = [
      { id: "a", position: positionOf(4, 1) },
      { id: "b", position: positionOf(2, 1) },
    ];
    expect(beginAt(followers, "5-9", undefined)).to.equal("2-1");
    expect(beginAt(followers, "5-9", "3-1")).to.equal("4-1");
    expect(beginAt(followers, "5-9", "5-1")).to.equal("2-1");
    expect(beginAt([], "5-9", undefined)).to.equal("5-9");
  });

  it("have lost their history only below what is pruned", () => {
    expect(isHistoryGone("3-4", "4-1", "3-4")).to.equal(false);
    expect(isHistoryGone("3-3", "4-1", "3-4")).to.equal(true);
    expect(isHistoryGone("3-3", "3-3", "3-4")).to.equal(false);
    expect(isHistoryGone("3-3", "3-3", "5-1")).to.equal(true);
    expect(isHistoryGone("0-0", undefined, "0-0")).to.equal(false);
  });
});
