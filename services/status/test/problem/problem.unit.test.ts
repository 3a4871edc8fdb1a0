import { errorTable, LockstepError } from "@lockstep/core";
import { expect } from "chai";
import { httpProblem } from "../../src/problem/http-problems.js";
import { describeError } from "../../src/problem/problem-answers.js";
import { problemOf } from "../../src/problem/problem.js";

describe("a problem", () => {
  it("of Lockstep's own says what happened and what to do", () => {
    const error = new LockstepError("LETTER_UNKNOWN", "there is no such dead letter");
    expect(problemOf(error, "r1")).to.deep.equal({
      type: "urn:lockstep:error:LETTER_UNKNOWN",
      title: "Letter unknown",
      status: 404,
      detail: "there is no such dead letter",
      code: "LETTER_UNKNOWN",
      hint: errorTable.LETTER_UNKNOWN.hint,
      instance: "r1",
    });
  });

  it("of an unknown error tells nothing of its words: drivers quote row values", () => {
    const error = Object.assign(new Error("Key (email)=(ada@example.com)"), { code: "23505" });
    expect(problemOf(error, "r1")).to.include({ status: 500, code: "INTERNAL" });
    expect(JSON.stringify([problemOf(error, "r1"), describeError(error)])).to.not.include("ada");
  });

  it("logs the driver's code behind an error of Lockstep's, not its words", () => {
    const cause = Object.assign(new Error("Key (email)=(ada@example.com)"), { code: "23505" });
    const described = describeError(new LockstepError("TARGET_UNIQUE", "refused", { cause }));
    expect(described).to.include({ code: "TARGET_UNIQUE", cause: "23505" });
    expect(JSON.stringify(described)).to.not.include("ada");
  });

  it("of HTTP has its own codes", () => {
    expect(problemOf(httpProblem("RATE_LIMITED", "slow down"), "r1")).to.include({
      status: 429,
      code: "RATE_LIMITED",
      detail: "slow down",
    });
  });

  it("is 503 for what is away, 409 for what stands otherwise, 400 for what can't be asked, 500 for what is broken", () => {
    const statusOf = (code: keyof typeof errorTable) => problemOf(new LockstepError(code, "x"), "r").status;
    expect([statusOf("TARGET_UNAVAILABLE"), statusOf("STREAM_UNAVAILABLE")]).to.deep.equal([503, 503]);
    expect([statusOf("LETTER_STATE"), statusOf("SOURCE_REPLACED")]).to.deep.equal([409, 500]);
    expect([statusOf("ENTITY_UNKNOWN"), statusOf("CONFIG_INVALID")]).to.deep.equal([400, 400]);
  });
});
