import { expect } from "chai";
import { twoWayScenario } from "../../src/demo/scenario-two-way.js";

describe("the demo of two-way sync, in short", () => {
  it("two shops write the same rows over a cut, and end equal", async () => {
    const said: string[] = [];
    const result = await twoWayScenario({
      seconds: 2,
      rate: 100,
      keep: false,
      verbose: false,
      say: (line) => void said.push(line),
      signal: new AbortController().signal,
    });
    expect(result, said.join("\n")).to.deep.include({ differingRows: 0, converged: true });
    expect(result.writes).to.be.greaterThan(20);
    expect(result.conflicts).to.be.greaterThan(0);
  });
});
