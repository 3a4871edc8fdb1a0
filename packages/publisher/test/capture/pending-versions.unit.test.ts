import { expect } from "chai";
import { PendingVersions, versionText } from "../../src/capture/pending-versions.js";

describe("pending versions", () => {
  it("wait for their row, and stay with it until a newer one comes or the transaction ends", () => {
    const versions = new PendingVersions();
    expect(versions.take("a", "[1]")).to.equal(undefined);
    versions.put("a", "[1]", "v1");
    expect(versions.take("b", "[1]")).to.equal(undefined);
    expect([versions.take("a", "[1]"), versions.take("a", "[1]")]).to.deep.equal(["v1", "v1"]);
    versions.put("a", "[1]", "v2");
    expect(versions.take("a", "[1]")).to.equal("v2");
    versions.clear();
    expect(versions.take("a", "[1]")).to.equal(undefined);
  });

  it("that have found their row are forgotten when they are many, those that wait never", () => {
    const versions = new PendingVersions();
    versions.put("a", "[0]", "waits");
    for (let i = 1; i <= 10_001; i++) {
      versions.put("a", `[${i}]`, "v");
      versions.take("a", `[${i}]`);
    }
    expect([versions.take("a", "[1]"), versions.take("a", "[2]"), versions.take("a", "[0]")]).to.deep.equal([
      undefined,
      "v",
      "waits",
    ]);
  });

  it("have no text when they were only made to be locked", () => {
    const empty = { stamp: "0", node: "", seen: "{}", from: undefined };
    expect(versionText(empty)).to.equal(undefined);
    expect(versionText({ ...empty, stamp: "5", node: 'a"', from: "b" })).to.equal(
      '{"stamp":5,"node":"a\\"","seen":{},"from":"b"}',
    );
  });
});
