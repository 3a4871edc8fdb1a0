import { LockstepError } from "@lockstep/core";
import { expect } from "chai";
import { classify, ImmovableUniqueError, WouldCascadeError } from "../src/classify.js";

function serverError(code: string, fields: Readonly<Record<string, string>> = {}): Error {
  return Object.assign(new Error("Key (email)=(secret)"), { code, severity: "ERROR", ...fields });
}

describe("classify", () => {
  for (const [state, code] of [
    ["23502", "TARGET_NOT_NULL"],
    ["23503", "TARGET_FOREIGN_KEY"],
    ["23505", "TARGET_UNIQUE"],
    ["23P01", "TARGET_UNIQUE"],
    ["23514", "TARGET_CHECK"],
    ["44000", "TARGET_CHECK"],
    ["22001", "TARGET_VALUE"],
    ["22P02", "TARGET_VALUE"],
    ["22021", "TARGET_VALUE"],
    ["54000", "TARGET_VALUE"],
    ["P0001", "TARGET_REFUSED"],
    ["23000", "TARGET_REFUSED"],
  ] as const) {
    it(`${state} is ${code} of a row`, () => {
      expect(classify(serverError(state))).deep.equal({ kind: "row", code });
    });
  }

  for (const state of [
    ..."08006 53100 53200 53300 57014 57P01 57P03 58030 XX000 XX001 40001 40P01 55P03 25006 25P02".split(" "),
    ..."28P01 3D000 42501 0A000 26000 42601 99999".split(" "),
  ]) {
    it(`${state} is systemic`, () => {
      expect(classify(serverError(state))).deep.equal({ kind: "systemic", code: "TARGET_UNAVAILABLE" });
    });
  }

  it("says when the table is not the one that was looked at", () => {
    expect(classify(serverError("42P01"))).deep.equal({ kind: "systemic", code: "TARGET_TABLE_MISSING" });
    expect(classify(serverError("42703"))).deep.equal({ kind: "systemic", code: "TARGET_COLUMN_MISSING" });
  });

  it("names the constraint, else the column, and never the message", () => {
    const both = serverError("23505", { constraint: "orders_email", column: "email", detail: "secret" });
    expect(classify(both)).deep.equal({ kind: "row", code: "TARGET_UNIQUE", about: "orders_email" });
    expect(classify(serverError("23502", { column: "email" })).about).equal("email");
    expect(classify(serverError("22001")).about).equal(undefined);
  });

  it("takes errors of the network and of the driver as systemic", () => {
    for (const code of ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTFOUND", "ETIMEDOUT"]) {
      expect(classify(Object.assign(new Error(code), { code }))).deep.equal({
        kind: "systemic",
        code: "TARGET_UNAVAILABLE",
      });
    }
    expect(classify(new Error("Connection terminated unexpectedly")).kind).equal("systemic");
  });

  it("knows this package's own errors, and Lockstep's", () => {
    expect(classify(new WouldCascadeError("fk"))).deep.equal({
      kind: "row",
      code: "TARGET_WOULD_CASCADE",
      about: "fk",
    });
    expect(classify(new ImmovableUniqueError("uq"))).deep.equal({
      kind: "row",
      code: "TARGET_UNIQUE",
      about: "uq",
    });
    expect(classify(new LockstepError("TARGET_FENCED", "…"))).deep.equal({
      kind: "systemic",
      code: "TARGET_FENCED",
    });
  });
});
