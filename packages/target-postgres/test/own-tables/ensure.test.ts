import { contractContext, openLane } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { openFixture } from "../fixture.js";

describe("Lockstep's own tables", () => {
  const context = contractContext(openFixture);

  it("made by one role can be used by another that may make nothing", async () => {
    const { id } = await (await context.target()).open();
    await context.fixture.run(`
      do $$ begin create role lockstep_user login password 'secret'; exception when duplicate_object then null; end $$;
      grant usage on schema lockstep to lockstep_user;
      grant select, insert, update, delete on all tables in schema lockstep to lockstep_user;
      do $$ begin execute format('revoke create, temporary on database %I from public', current_database()); end $$`);
    const url = new URL(context.fixture.url);
    url.username = "lockstep_user";
    url.password = "secret";
    const target = await context.target({ url: url.href });
    expect((await target.open()).id).equal(id);
    const lane = await openLane(target, "restricted");
    await lane.step(async () => undefined);
    await lane.close();
  });
});
