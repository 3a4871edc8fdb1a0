import { fullCollections, leftBehind } from "@lockstep/testing";
import { expect } from "chai";
import { openStage } from "./support.js";

const module = new URL("./left-behind-process.js", import.meta.url);

describe("what goes to Redis and comes from there", () => {
  let stage: Awaited<ReturnType<typeof openStage>>;
  beforeEach(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.close());
  const measured = (name: string) => ({ module, name, args: [stage.url, stage.source] });

  for (const name of ["writing", "reading"])
    it(`is not left to the next full collection by ${name}`, async () => {
      // Of more than eight million, of which a third and more was left.
      expect(await leftBehind(measured(name))).to.be.lessThan(1_500_000);
    });

  it("makes V8 collect everything no more often than nothing does", async () => {
    // With Buffers of each text and call it did so for every 30 MB, of 240.
    expect(await fullCollections(measured("writingOn"))).to.be.lessThan(4);
  });
});
