import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { errorsDocument } from "../src/errors-doc.js";
import { isLockstepError, LockstepError, reasonOf } from "../src/index.js";

describe("errors", () => {
  it("say what happened and what to do, and carry code and recovery", () => {
    const error = new LockstepError("LANE_UNKNOWN", "there is no lane a~b~0", { details: { lane: "a~b~0" } });
    expect(error.message).to.equal(
      "there is no lane a~b~0 [LANE_UNKNOWN] List the lanes: GET /api/v1/status.",
    );
    expect(error.recovery).to.equal("refuse");
    expect(isLockstepError(error, "LANE_UNKNOWN")).to.equal(true);
    expect(isLockstepError(error, "LETTER_UNKNOWN")).to.equal(false);
    expect(isLockstepError(new Error("x"))).to.equal(false);
  });

  it("have a reason: the innermost code of Node or a driver, and no words of theirs", () => {
    const driver = Object.assign(new Error("password of app"), { code: "28P01" });
    const own = new LockstepError("TARGET_UNAVAILABLE", "it can't be reached", { cause: driver });
    expect(own.what).to.equal("it can't be reached");
    for (const error of [driver, own, new Error("outer", { cause: own })])
      expect(reasonOf(error)).to.equal("wrong user or password (28P01)");
    expect(reasonOf(Object.assign(new Error("x"), { code: "XX000" }))).to.equal("XX000");
    expect(reasonOf(new LockstepError("LANE_UNKNOWN", "x"))).to.equal(undefined);
  });

  it("are all documented: docs/errors.md is what the table generates", async () => {
    const path = new URL("../../../../docs/errors.md", import.meta.url);
    const loose = (text: string) => text.replace(/[ -]+/g, " ");
    expect(loose(await readFile(path, "utf8"))).to.equal(loose(errorsDocument()));
  });
});
