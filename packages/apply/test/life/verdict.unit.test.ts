import { type Fault, LockstepError } from "@lockstep/core";
import { expect } from "chai";
import { verdictOf } from "../../src/life/verdict.js";

const systemic = (): Fault => ({ kind: "systemic", code: "TARGET_UNAVAILABLE" });
const row = (): Fault => ({ kind: "row", code: "TARGET_FOREIGN_KEY", about: "of_customer" });

describe("verdictOf", () => {
  it("opens the session again after a fault of the target", () => {
    expect(verdictOf(new Error("x"), systemic)).deep.include({
      action: "reopen",
      code: "TARGET_UNAVAILABLE",
    });
    for (const code of ["TARGET_FENCED", "TARGET_UNAVAILABLE"] as const) {
      expect(verdictOf(new LockstepError(code, "x"), row).action).equal("reopen");
    }
  });

  it("tries again with the same session what may pass by itself", () => {
    for (const code of ["TARGET_MANY_REFUSED", "STREAM_UNAVAILABLE", "STREAM_SCHEMA_UNKNOWN"] as const) {
      expect(verdictOf(new LockstepError(code, "x"), systemic)).deep.include({ action: "again", code });
    }
    expect(verdictOf(new Error("x"), row)).deep.include({ action: "again", code: "TARGET_FOREIGN_KEY" });
  });

  it("halts for a person", () => {
    for (const code of ["HISTORY_GONE", "SOURCE_REPLACED", "TARGET_TABLE_MISSING"] as const) {
      expect(verdictOf(new LockstepError(code, "x"), systemic)).deep.include({ action: "halt", code });
    }
  });

  it("tells the driver's code and what it means, never its message", () => {
    const driver = Object.assign(new Error("Key (email)=(secret)"), { code: "28P01" });
    expect(verdictOf(driver, systemic).message).equal("the target failed: wrong user or password (28P01)");
    expect(verdictOf(new Error("Key (email)=(secret)"), row).message).equal(
      "the target refused a step as a whole (of_customer)",
    );
    const own = new LockstepError("TARGET_UNAVAILABLE", "x can't be reached", { cause: driver });
    expect(verdictOf(own, row).message).equal("x can't be reached: wrong user or password (28P01)");
  });
});
