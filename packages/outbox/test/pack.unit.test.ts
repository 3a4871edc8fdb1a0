import { expect } from "chai";
import { changesIn, unmarkedFingerprint, unpack } from "../src/pack.js";

describe("rows that pack", () => {
  it("have a change in each line, in order, with its version if it has one", () => {
    const row = {
      op: "p",
      key: "3",
      image: 'i["1"]\t["1","a\\tb"]\nd["2"]\t\nu["3"]\t["3",null]',
      version: '{"stamp":1}\n\n{"stamp":3}',
    };
    expect(changesIn(row)).to.equal(3);
    expect(unpack(row)).to.deep.equal([
      { op: "i", key: '["1"]', image: '["1","a\\tb"]', version: '{"stamp":1}' },
      { op: "d", key: '["2"]', image: null, version: null },
      { op: "u", key: '["3"]', image: '["3",null]', version: '{"stamp":3}' },
    ]);
  });

  it("are told from others, which are their one change", () => {
    const row = { op: "u", key: '["1"]', image: '["1"]', before: '["0"]', version: null };
    expect(unpack(row)).to.deep.equal([row]);
    expect(changesIn(row)).to.equal(1);
    expect(unmarkedFingerprint("p0123456789abcdef")).to.equal("0123456789abcdef");
    expect(unmarkedFingerprint("0123456789abcdef")).to.equal("0123456789abcdef");
  });
});
