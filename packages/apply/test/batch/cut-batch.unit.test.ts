import type { StreamEntry } from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import { cutBatch, type SizedEntry } from "../../src/batch/cut-batch.js";

const limits = { maxBatchEvents: 10, maxBatchBytes: 1000 };

function entry(events: number, flags: { more?: boolean; tick?: boolean; bytes?: number } = {}): SizedEntry {
  const event = { ordinal: 1, op: "delete" as const, schema: "s", key: "[]" };
  const whole: StreamEntry = {
    id: "1-1",
    previous: "0-0",
    incarnation: "i",
    total: 0,
    endsTick: flags.tick ?? false,
    continues: flags.more ?? false,
    transactions: [],
    events: Array.from({ length: events }, () => event),
  };
  return { entry: whole, bytes: flags.bytes ?? events };
}

describe("cutBatch", () => {
  it("takes what is there", () => {
    expect(cutBatch([entry(1), entry(2)], limits)).to.deep.equal({ kind: "apply", count: 2 });
  });

  it("stops before the limit of events", () => {
    expect(cutBatch([entry(6), entry(4), entry(1)], limits)).to.deep.equal({ kind: "apply", count: 2 });
  });

  it("stops before the limit of bytes", () => {
    const entries = [entry(1, { bytes: 600 }), entry(1, { bytes: 600 })];
    expect(cutBatch(entries, limits)).to.deep.equal({ kind: "apply", count: 1 });
  });

  it("prefers the end of a tick", () => {
    const entries = [entry(1, { tick: true }), entry(2), entry(9)];
    expect(cutBatch(entries, limits)).to.deep.equal({ kind: "apply", count: 1 });
  });

  it("takes an entry that is larger than the limits and ends its transaction", () => {
    expect(cutBatch([entry(50), entry(1)], limits)).to.deep.equal({ kind: "apply", count: 1 });
  });

  it("waits for the rest of a transaction", () => {
    expect(cutBatch([entry(2, { more: true })], limits)).to.deep.equal({ kind: "wait" });
    expect(cutBatch([], limits)).to.deep.equal({ kind: "wait" });
  });

  it("applies what is whole before a transaction that goes on", () => {
    expect(cutBatch([entry(2), entry(2, { more: true })], limits)).to.deep.equal({ kind: "apply", count: 1 });
  });

  it("stages a transaction that outgrows a batch", () => {
    const entries = [entry(6, { more: true }), entry(6, { more: true })];
    expect(cutBatch(entries, limits)).to.deep.equal({ kind: "stage", count: 1 });
  });

  it("stages later parts whatever their size, until the last", () => {
    expect(cutBatch([entry(1, { more: true })], limits, true)).to.deep.equal({ kind: "stage", count: 1 });
    expect(cutBatch([entry(1, { more: true }), entry(1)], limits, true)).to.deep.equal({
      kind: "apply",
      count: 2,
    });
  });

  it("never cuts inside a transaction, never exceeds a limit with more than one entry, never stalls", () => {
    const anyEntry = fc
      .record({ events: fc.nat(8), more: fc.boolean(), tick: fc.boolean() })
      .map(({ events, more, tick }) => entry(events, { more, tick: tick && !more }));
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 12 }), fc.boolean(), (entries, staging) => {
        const cut = cutBatch(entries, limits, staging);
        if (cut.kind === "wait") {
          expect(staging && entries.length > 0).to.equal(false);
          expect(entries.every((e) => e.entry.continues)).to.equal(true);
          return;
        }
        const taken = entries.slice(0, cut.count);
        expect(taken).to.have.length(cut.count).greaterThan(0);
        if (cut.kind === "apply") expect(taken.at(-1)?.entry.continues).to.equal(false);
        else expect(taken.every((e) => e.entry.continues)).to.equal(true);
        const events = taken.reduce((sum, e) => sum + e.entry.events.length, 0);
        if (taken.length > 1) expect(events).to.be.at.most(limits.maxBatchEvents);
      }),
    );
  });
});
