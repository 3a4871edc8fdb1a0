import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import type { Refused } from "../../src/write/refused.js";
import { RefusalWindow } from "../../src/write/refusal-window.js";
import { customers } from "./model-target.js";

const limits = { maxLettersPerCode: 10, maxRefusedShare: 0.5 };

function refused(id: number, code: "TARGET_CHECK" | "TARGET_VALUE" = "TARGET_CHECK"): Refused {
  const { schema } = customers;
  const key = `["${id}"]`;
  const event = { ordinal: 1, op: "delete" as const, schema: schema.fingerprint, key };
  const row = { key, schema, event, part: { id: "1-1", events: [] } as const };
  return { kind: "remove", table: customers, row, fault: { code, rawError: "" } };
}

function tooMany(work: () => void): boolean {
  try {
    work();
    return false;
  } catch (error) {
    expect(isLockstepError(error, "TARGET_MANY_REFUSED")).equal(true);
    return true;
  }
}

describe("RefusalWindow", () => {
  it("takes a few refused rows for bad rows", () => {
    const step = new RefusalWindow(limits, () => 0).step(() => 1_000);
    for (let i = 0; i < 10; i++) step.count(refused(i));
    expect(tooMany(() => step.count(refused(10)))).equal(true);
  });

  it("counts a row once, however often it is tried", () => {
    const step = new RefusalWindow(limits, () => 0).step(() => 1_000);
    for (let i = 0; i < 100; i++) step.count(refused(1));
  });

  it("counts by code", () => {
    const step = new RefusalWindow(limits, () => 0).step(() => 1_000);
    for (let i = 0; i < 10; i++) {
      step.count(refused(i));
      step.count(refused(i, "TARGET_VALUE"));
    }
  });

  it("counts committed steps of the last minute", () => {
    let now = 0;
    const window = new RefusalWindow(limits, () => now);
    const first = window.step(() => 1_000);
    for (let i = 0; i < 10; i++) first.count(refused(i));
    first.keep();
    expect(tooMany(() => window.step(() => 1_000).count(refused(11)))).equal(true);
    now = 61_000;
    expect(tooMany(() => window.step(() => 1_000).count(refused(11)))).equal(false);
  });

  it("forgets steps that were rolled back", () => {
    const window = new RefusalWindow(limits, () => 0);
    for (let i = 0; i < 50; i++) window.step(() => 1_000).count(refused(i));
  });

  it("takes more than half of twenty rows for a fault of the target", () => {
    const wide = { ...limits, maxLettersPerCode: 1_000 };
    const step = new RefusalWindow(wide, () => 0).step(() => 20);
    for (let i = 0; i < 10; i++) step.count(refused(i));
    expect(tooMany(() => step.count(refused(10)))).equal(true);
    const small = new RefusalWindow(wide, () => 0).step(() => 19);
    for (let i = 0; i < 19; i++) small.count(refused(i));
  });
});
