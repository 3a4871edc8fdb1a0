import { expect } from "chai";
import { dualWrite } from "../../src/index.js";
import { disabledPublisher } from "../../src/publisher.js";

describe("dual write", () => {
  it("refuses a target that can't be waited for before anything is written", () => {
    const make = () =>
      dualWrite(disabledPublisher("shop", ["reporting"]), { targets: ["reporting", "typo"] });
    expect(make).to.throw('there is no target "typo"; known: reporting');
  });

  it("refuses a time-out that is no number of milliseconds", () => {
    const lockstep = disabledPublisher("shop", ["reporting"]);
    for (const timeoutMs of [-1, Number.NaN, Infinity])
      expect(() => dualWrite(lockstep, { targets: ["reporting"], timeoutMs })).to.throw("timeoutMs");
  });

  it("fails no write while Lockstep is disabled", async () => {
    const late: string[] = [];
    const dual = dualWrite(disabledPublisher("shop", ["reporting"]), {
      targets: ["reporting"],
      onTimeout: ({ target }) => late.push(target),
    });
    expect(await dual.run(async () => "written")).to.equal("written");
    expect(late).to.deep.equal(["reporting"]);
  });
});
