import { expect } from "chai";
import type { DataSource } from "typeorm";
import { Replica } from "../src/replica.js";
import { Request } from "../src/request.js";

describe("what a request knows of a replica", () => {
  const replica = () =>
    new Replica("near", {} as DataSource, {
      space: "test",
      mark: async () => "1",
      has: async () => true,
      close: async () => undefined,
    });

  it("lasts until something is needed anew", () => {
    const [request, near] = [new Request(), replica()];
    expect(request.isHeldBy(near)).to.equal(true);
    request.need();
    expect(request.isHeldBy(near)).to.equal(false);
    request.heldBy(near, request.needs);
    expect(request.isHeldBy(near)).to.equal(true);
    request.shows(near);
    expect(request.isHeldBy(near)).to.equal(true);
  });

  it("is over when the replica was away meanwhile: it may have come back with less", () => {
    const [request, near] = [new Request(), replica()];
    request.shows(near);
    expect(request.isHeldBy(near)).to.equal(true);
    near.isGone(new Error("away"));
    expect(request.isHeldBy(near)).to.equal(false);
    request.heldBy(near, request.needs);
    expect(request.isHeldBy(near)).to.equal(true);
  });
});
