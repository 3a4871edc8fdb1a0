import { expect } from "chai";
import { LockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";
import { Replica } from "../src/replica.js";

const initialized = { isInitialized: true } as DataSource;

describe("looking at a replica", () => {
  const replicaOf = (marks: string[], held: ReadonlySet<string>) =>
    new Replica("near", initialized, {
      space: "test",
      mark: async () => marks.shift() ?? Promise.reject(new Error("nothing is known")),
      has: async (mark) => held.has(mark),
      close: async () => undefined,
    });

  it("a mark that nothing ever holds keeps it out of rotation no longer than it lasts", async () => {
    const held = new Set<string>();
    const replica = replicaOf(["of a history that is over", "1", "2"], held);
    for (const at of [0, 1_000, 2_000]) await replica.look(at);
    expect(replica.standing(Infinity)).to.equal("unknown");
    held.add("1").add("2");
    for (const at of [6_000, 7_000]) await replica.look(at);
    expect(replica.standing(Infinity)).to.equal("in");
  });

  it("one that is always behind by more than that is known by its oldest mark", async () => {
    const held = new Set<string>();
    const replica = replicaOf(["0", "6", "12", "18"], held);
    for (const at of [0, 6_000, 12_000]) await replica.look(at);
    held.add("0");
    await replica.look(13_000);
    expect(replica.lagMs).to.be.a("number");
  });

  it("one that isn't seeded stays out and says why, until it is", async () => {
    let seeded = false;
    const replica = new Replica("near", initialized, {
      space: "test",
      mark: async () => "1",
      has: async () => {
        if (!seeded) throw new LockstepError("REPLICA_UNSEEDED", "not seeded");
        return true;
      },
      close: async () => undefined,
    });
    await replica.look();
    expect(replica.standing(Infinity)).to.equal("unseeded");
    expect(replica.why).to.contain("lockstep sync full");
    seeded = true;
    await replica.look();
    expect([replica.standing(Infinity), replica.why]).to.deep.equal(["in", undefined]);
  });

  it("a primary that can't tell says so", async () => {
    const replica = replicaOf([], new Set());
    await replica.look();
    expect([replica.standing(Infinity), replica.why]).to.deep.equal(["unknown", "nothing is known"]);
  });
});
