import { expect } from "chai";
import type { DataSource } from "typeorm";
import { type ReadOptions, replicaReads } from "../src/index.js";

describe("the options of replicaReads", () => {
  const primary = { isInitialized: true } as DataSource;
  for (const [what, options] of [
    ["replicas must name at least one", {}],
    ["replicas must name at least one", { replicas: {} }],
    ["replicas.near has no dataSource", { replicas: { near: undefined } }],
    ["replicas.near is the primary itself", { replicas: { near: { dataSource: primary } } }],
    ["nothing can tell how fresh it is", { replicas: { near: { dataSource: {} } } }],
    ["maxLagMs must be", { maxLagMs: "1s" }],
    ["waitMs must be", { waitMs: -1 }],
    ["report must be a function", { report: "status" }],
  ] as const)
    it(`are refused: ${what}`, () => {
      const refused = () => replicaReads(primary, options as unknown as ReadOptions);
      expect(refused).to.throw(what).with.property("code", "CONFIG_INVALID");
    });
});
