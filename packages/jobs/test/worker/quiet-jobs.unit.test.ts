import { expect } from "chai";
import { quietJobs } from "../../src/worker/quiet-jobs.js";

describe("jobs whose process may be gone", () => {
  it("are those that haven't moved for a while, by this process's clock, and not again at once", () => {
    const quiet = quietJobs(10_000);
    const still = { id: "1", movedAt: 5 };
    expect(quiet.among([still, { id: "2", movedAt: 5 }], 0)).to.deep.equal([]);
    expect(quiet.among([still, { id: "2", movedAt: 9 }], 9_999)).to.deep.equal([]);
    expect(quiet.among([still, { id: "2", movedAt: 9 }], 10_000)).to.deep.equal(["1"]);
    expect(quiet.among([still], 15_000)).to.deep.equal([]);
    expect(quiet.among([still], 20_000)).to.deep.equal(["1"]);
    // One that was paused, and runs again, begins anew.
    expect(quiet.among([], 21_000)).to.deep.equal([]);
    expect(quiet.among([still], 40_000)).to.deep.equal([]);
  });
});
