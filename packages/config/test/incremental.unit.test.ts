import { expect } from "chai";
import { parseConfig } from "../src/index.js";
import { withEnvironment } from "../src/environment.js";

const vendor = {
  url: "postgres://reader@vendor/billing",
  stateStore: "postgres://lockstep@ours/state",
  incremental: { "public.invoice": { column: "updated_at" } },
};
const withSource = (source: object) => parseConfig({ redis: "redis://redis", sources: { vendor: source } });
const problem = (source: object): string => {
  try {
    withSource(source);
  } catch (error) {
    return String(error);
  }
  return "";
};

describe("a source that holds nothing of ours, in the configuration", () => {
  it("is named in one error when something of it would go into the source, or nothing is read", () => {
    expect(problem({ ...vendor, capture: "trigger" })).to.match(/vendor\.capture: captures write into/);
    expect(problem({ ...vendor, captureTables: ["x"] })).to.match(
      /vendor\.captureTables: captures write into/,
    );
    expect(problem({ ...vendor, incremental: {} })).to.match(/vendor\.incremental: must name the tables/);
    expect(problem({ ...vendor, stateStore: "postgres://other@vendor/billing" })).to.match(
      /stateStore: must not be the source itself/,
    );
    const { url: _, ...without } = vendor;
    expect(problem(without)).to.match(/vendor\.url: is needed beside stateStore/);
  });

  it("isn't the only one with such tables: beside capture by subscriber there may be some that it leaves out", () => {
    const { stateStore: _, ...beside } = vendor;
    expect(withSource(beside).sources["vendor"]!.incremental).to.have.keys("public.invoice");
    expect(problem({ ...beside, captureTables: ["invoice"] })).to.match(/invoice is in incremental/);
    expect(problem({ ...beside, capture: "wal" })).to.match(/capture by wal can see these tables/);
  });

  it("takes the address of its state store from the environment", () => {
    const config = withEnvironment(
      { redis: "redis://redis", sources: { "vendor-1": { ...vendor, stateStore: undefined } } },
      { LOCKSTEP_SOURCE_VENDOR_1_STATE_STORE_URL: "mysql://ours/state" },
    );
    expect(parseConfig(config).sources["vendor-1"]!.stateStore).to.equal("mysql://ours/state");
  });
});
