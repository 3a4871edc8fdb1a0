import type { StreamEntry } from "@lockstep/core";
import { expect } from "chai";
import { addressedTo } from "../../src/intake/addressed-to.js";

const event = (ordinal: number) => ({ ordinal, op: "snapshot", schema: "f", key: `["${ordinal}"]` }) as const;
const entry: StreamEntry = {
  id: "7-4",
  previous: "6-1",
  incarnation: "i",
  total: 9,
  endsTick: true,
  continues: false,
  transactions: [
    { id: "1", at: 0, events: 1 },
    { id: "1", at: 0, events: 2, audience: ["other"] },
    { id: "2", at: 0, events: 1, audience: ["other", "me"] },
  ],
  events: [1, 2, 3, 4].map(event),
};

describe("an entry as one target sees it", () => {
  it("lacks what is for others, and still covers their positions", () => {
    const mine = addressedTo("me", entry);
    expect(mine.events.map(({ ordinal }) => ordinal)).to.deep.equal([1, 4]);
    expect(mine.transactions.map(({ events }) => events)).to.deep.equal([1, 1]);
    expect(mine).to.include({ id: "7-4", previous: "6-1", total: 9, endsTick: true });
    expect(addressedTo("nobody", entry).events.map(({ ordinal }) => ordinal)).to.deep.equal([1]);
  });

  it("is the same where all is for it", () => {
    expect(addressedTo("other", entry)).to.equal(entry);
  });
});
