import { assert } from "chai";
import fc from "fast-check";
import {
  compareVersions,
  joinVersions,
  laterVersion,
  parseVersion,
  printVersion,
  type RowVersion,
} from "@lockstep/core";

const version = (seen: Record<string, number>, stamp = 1, node = "a"): RowVersion => ({ stamp, node, seen });
const anyVersion = fc.record({
  stamp: fc.integer({ min: 1, max: 3 }),
  node: fc.constantFrom("a", "b", "c"),
  seen: fc.dictionary(fc.constantFrom("a", "b", "__proto__"), fc.integer({ min: 1, max: 3 })),
});
const dominates = ["equal", "after"];

describe("a row's version", () => {
  it("is compared by what it has seen", () => {
    assert.equal(compareVersions(version({ a: 1 }), version({ a: 1 })), "equal");
    assert.equal(compareVersions(version({ a: 1 }), version({ a: 2 })), "before");
    assert.equal(compareVersions(version({ a: 1, b: 1 }), version({ a: 1 })), "after");
    assert.equal(compareVersions(version({ a: 2 }), version({ a: 1, b: 1 })), "concurrent");
  });

  it("is after no version, and nothing is equal to nothing", () => {
    assert.equal(compareVersions(version({ a: 1 }), undefined), "after");
    assert.equal(compareVersions(undefined, version({ a: 1 })), "before");
    assert.equal(compareVersions(undefined, undefined), "equal");
  });

  it("is later by its stamp, then by its node", () => {
    assert.equal(laterVersion(version({}, 2, "a"), version({}, 1, "b")).stamp, 2);
    assert.equal(laterVersion(version({}, 1, "a"), version({}, 1, "b")).node, "b");
  });

  it("joined with another replaces both, in either order, and comes from no source", () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, (one, other) => {
        const joined = joinVersions({ ...one, from: "x" }, other);
        assert.include(dominates, compareVersions(joined, one));
        assert.include(dominates, compareVersions(joined, other));
        assert.equal(printVersion(joined), printVersion(joinVersions(other, one)));
        assert.notProperty(joined, "from");
      }),
    );
  });

  it("keeps the stamp of the write that was chosen, also below the other's", () => {
    const kept = version({ a: 1 }, 1, "a");
    assert.deepInclude(joinVersions(kept, version({ b: 9 }, 9, "b"), kept), {
      stamp: 1,
      node: "a",
      seen: { a: 1, b: 9 },
    });
  });

  it("is read back as it was printed", () => {
    fc.assert(
      fc.property(anyVersion, fc.option(fc.string(), { nil: undefined }), (plain, from) => {
        const written = from === undefined ? plain : { ...plain, from };
        assert.equal(printVersion(parseVersion(printVersion(written))), printVersion(written));
      }),
    );
    assert.deepEqual(
      parseVersion('{ "seen": {"b": 2}, "node": "b", "stamp": 2, "from": null }'),
      version({ b: 2 }, 2, "b"),
    );
  });

  it("is refused when it is anything else", () => {
    for (const text of [
      "[]",
      "null",
      "1",
      "{}",
      '{"stamp":0,"node":"a","seen":{}}',
      '{"stamp":1,"node":"a","seen":{"a":"1"}}',
    ]) {
      assert.throws(() => parseVersion(text), TypeError);
    }
  });
});
