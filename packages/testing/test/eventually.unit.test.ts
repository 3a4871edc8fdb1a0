import { expect } from "chai";
import { eventually } from "../src/index.js";

describe("eventually", () => {
  it("returns the first answer that is neither undefined nor false", async () => {
    const answers = [undefined, false, 0, 1];
    expect(await eventually(async () => answers.shift(), { intervalMs: 1 })).to.equal(0);
    expect(answers).to.deep.equal([1]);
  });

  it("takes a throwing probe for not yet, and gives its last error as the cause", async () => {
    const refused = new Error("refused");
    const failure = await rejection(
      eventually(() => Promise.reject(refused), { timeoutMs: 20, intervalMs: 1, what: "the lane to run" }),
    );
    expect(failure.message).to.match(/waiting for the lane to run: refused$/);
    expect(failure.cause).to.equal(refused);
  });

  it("gives up on a probe that never answers", async () => {
    const failure = await rejection(eventually(() => new Promise(() => undefined), { timeoutMs: 30 }));
    expect(failure.message).to.equal("gave up after 30 ms waiting for the condition");
  });
});

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}
