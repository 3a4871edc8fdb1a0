import { contractContext, contractTable, openLane } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { openFixture } from "../fixture.js";

describe("the origin of what a lane writes", () => {
  const context = contractContext(openFixture);

  it("is the lane's source, to triggers that ask", async () => {
    const table = contractTable(context.fixture, "asking", { id: "integer" });
    await table.create();
    await context.fixture.run(`create table origins (origin text);
      create function ask() returns trigger language plpgsql as
        $$ begin insert into origins values (nullif(current_setting('lockstep.origin', true), '')); return null; end $$;
      create trigger ask after insert on asking for each row execute function ask()`);
    const lane = await openLane(await context.target(), "the-source");
    const rows = await lane.table(table);
    await lane.step((transaction) => transaction.upsert(rows, [table.row("1")]));
    await lane.close();
    await context.fixture.run("insert into asking values (2)");
    expect(await context.fixture.read("select origin from origins")).deep.equal([["the-source"], [null]]);
  });
});
