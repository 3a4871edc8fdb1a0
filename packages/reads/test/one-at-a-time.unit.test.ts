import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { oneAtATime } from "../src/one-at-a-time.js";

describe("asking one at a time", () => {
  it("gives everybody an answer to a question asked after the call, with as few questions as can be", async () => {
    let asked = 0;
    const answers: ((n: number) => void)[] = [];
    const ask = oneAtATime(() => {
      const n = ++asked;
      return new Promise<number>((resolve) => answers.push(() => resolve(n)));
    });
    const first = ask();
    const [second, third] = [ask(), ask()];
    expect(asked).to.equal(1);
    answers[0]!(0);
    expect(await first).to.equal(1);
    await sleep(0);
    expect(asked).to.equal(2);
    const fourth = ask();
    answers[1]!(0);
    expect(await Promise.all([second, third])).to.deep.equal([2, 2]);
    await sleep(0);
    answers[2]!(0);
    expect(await fourth).to.equal(3);
  });

  it("asks again after a failure", async () => {
    let asked = 0;
    const ask = oneAtATime(async () => {
      if (++asked === 1) throw new Error("away");
      return asked;
    });
    const [first, second] = [ask(), ask()];
    const error: unknown = await first.catch((thrown: unknown) => thrown);
    expect(error).to.have.property("message", "away");
    expect(await second).to.equal(2);
    expect(await ask()).to.equal(3);
  });
});
