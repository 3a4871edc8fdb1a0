import { printVersion, type StreamEntry } from "@lockstep/core";
import { expect } from "chai";
import { withoutEchoes } from "../../src/intake/without-echoes.js";

const from = (node?: string): string =>
  printVersion({ stamp: 7, node: "a", seen: { a: 7 }, ...(node === undefined ? {} : { from: node }) });
const event = { schema: "f", key: '["1"]' } as const;
const entry: StreamEntry = {
  id: "7-5",
  previous: "6-1",
  incarnation: "i",
  total: 9,
  endsTick: true,
  continues: false,
  transactions: [
    { id: "1", at: 0, events: 2 },
    { id: "2", at: 0, events: 3 },
  ],
  events: [
    { ...event, ordinal: 1, op: "update", version: from("hub") },
    { ...event, ordinal: 2, op: "update", version: from() },
    { ...event, ordinal: 3, op: "delete", version: from("hub") },
    { ...event, ordinal: 4, op: "snapshot", version: from("hub") },
    { ...event, ordinal: 5, op: "update" },
  ],
};

describe("an entry as the node sees it that its rows came from", () => {
  it("lacks what the node sent itself, unless a repair sends it, and covers the same positions", () => {
    const rest = withoutEchoes("hub", entry);
    expect(rest.events.map(({ ordinal }) => ordinal)).to.deep.equal([2, 4, 5]);
    expect(rest.transactions.map(({ events }) => events)).to.deep.equal([1, 2]);
    expect(rest).to.include({ id: "7-5", previous: "6-1", total: 9, endsTick: true });
  });

  it("is the same where nothing comes from it", () => {
    expect(withoutEchoes("other", entry)).to.equal(entry);
  });
});
