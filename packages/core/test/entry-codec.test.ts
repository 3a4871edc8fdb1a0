import { expect } from "chai";
import fc from "fast-check";
import {
  decodeEntry,
  encodeEntry,
  isLockstepError,
  positionOf,
  printVersion,
  unpackChanges,
  type ChangeEvent,
  type Changes,
  type PackedChanges,
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

const line = fc
  .tuple(event, fc.constantFrom("i", "u", "d"))
  .map(([{ key, image }, letter]) => `${letter}${key}\t${image ?? ""}`);
const packed: fc.Arbitrary<PackedChanges> = fc
  .record({
    first: fc.integer({ min: 1, max: 1e9 }),
    schema: fc.constantFrom("a", "b", "c"),
    each: fc.array(line, { minLength: 1, maxLength: 9 }),
  })
  .map(({ first, schema, each }) => ({
    ordinal: first + each.length - 1,
    count: each.length,
    schema,
    lines: each.join("\n"),
  }));

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

  it("gives back what is packed as its changes, among others", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(event, packed), { maxLength: 9 }), (changes: Changes[]) => {
        const events = changes.flatMap((one) => ("lines" in one ? unpackChanges(one) : one));
        expect(decodeEntry(encodeEntry({ ...entryOf(events), events: changes }))).to.deep.equal(
          entryOf(events),
        );
      }),
    );
  });

  it("refuses packed changes that are fewer than is said", () => {
    const pack = { ordinal: 2, count: 2, schema: "a", lines: 'u["1"]\t["1"]' };
    expect(() => unpackChanges(pack))
      .to.throw()
      .that.satisfies((e: unknown) => isLockstepError(e, "STREAM_ENTRY_INVALID"));
    const encoded = encodeEntry({ ...entryOf([]), events: [pack] });
    expect(() => decodeEntry(encoded))
      .to.throw()
      .that.satisfies((e: unknown) => isLockstepError(e, "STREAM_ENTRY_INVALID"));
  });

  it("says that something is packed only where it is: who doesn't know packs reads all else", () => {
    const version = (changes: readonly Changes[]): unknown =>
      (JSON.parse(encodeEntry({ ...entryOf([]), events: changes }).envelope) as { readonly v: number }).v;
    expect(version([{ ordinal: 1, op: "delete", schema: "a", key: '["1"]' }])).to.equal(1);
    expect(version([{ ordinal: 1, count: 1, schema: "a", lines: 'd["1"]\t' }])).to.equal(2);
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
    const newer = { ...encoded, envelope: encoded.envelope.replace('"v":1', '"v":3') };
    expect(() => decodeEntry(newer))
      .to.throw()
      .that.satisfies((e: unknown) => isLockstepError(e, "STREAM_ENTRY_INVALID"));
  });
});
