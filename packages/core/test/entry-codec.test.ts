import { expect } from "chai";
import fc from "fast-check";
import {
  decodeEntry,
  encodeEntry,
  isLockstepError,
  positionOf,
  printVersion,
  type ChangeEvent,
  type StreamEntry,
} from "../src/index.js";

const event = fc.record(
  {
    ordinal: fc.integer({ min: 1, max: 1e9 }),
    op: fc.constantFrom("insert", "update", "delete", "snapshot", "truncate", "barrier"),
    schema: fc.constantFrom("a", "b", "c"),
    key: fc.array(fc.string({ unit: "binary" }), { minLength: 1 }).map((k) => JSON.stringify(k)),
    image: fc
      .array(fc.oneof(fc.string({ unit: "binary" }), fc.constant(null), fc.constant(0)), { minLength: 1 })
      .map((i) => JSON.stringify(i)),
    before: fc.array(fc.string(), { minLength: 1 }).map((k) => JSON.stringify(k)),
    version: fc.dictionary(fc.string(), fc.nat()).map((seen) => printVersion({ stamp: 1, node: "a", seen })),
  },
  { requiredKeys: ["ordinal", "op", "schema", "key"] },
) as fc.Arbitrary<ChangeEvent>;

const entryOf = (events: readonly ChangeEvent[]): StreamEntry => ({
  id: positionOf(7, 9),
  previous: positionOf(6, 3),
  incarnation: "i",
  total: 12,
  endsTick: true,
  continues: false,
  transactions: events.map((_, i) => ({
    id: String(i),
    at: 1,
    events: 1,
    ...(i % 3 === 1 ? { tick: "6" } : {}),
    ...(i % 2 === 1 ? { audience: ["a", "b"] } : {}),
  })),
  events,
});

describe("entry codec", () => {
  it("gives back every entry, whatever its values hold", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        expect(decodeEntry(encodeEntry(entryOf(events)))).to.deep.equal(entryOf(events));
      }),
    );
  });

  it("refuses an entry whose rows don't match its envelope", () => {
    const encoded = encodeEntry(entryOf([{ ordinal: 1, op: "delete", schema: "a", key: '["1"]' }]));
    const decode = () => decodeEntry({ ...encoded, rows: "" });
    expect(decode)
      .to.throw()
      .that.satisfies((e: unknown) => isLockstepError(e, "STREAM_ENTRY_INVALID"));
  });

  it("refuses a newer format", () => {
    const encoded = encodeEntry(entryOf([]));
    const newer = { ...encoded, envelope: encoded.envelope.replace('"v":1', '"v":2') };
    expect(() => decodeEntry(newer))
      .to.throw()
      .that.satisfies((e: unknown) => isLockstepError(e, "STREAM_ENTRY_INVALID"));
  });
});
