import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { errorsDocument } from "../src/errors-doc.js";
import { isLockstepError, LockstepError } from "../src/index.js";

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

  it("are all documented: docs/errors.md is what the table generates", async () => {
    const path = new URL("../../../../docs/errors.md", import.meta.url);
    const loose = (text: string) => text.replace(/[ -]+/g, " ");
    expect(loose(await readFile(path, "utf8"))).to.equal(loose(errorsDocument()));
  });
});
