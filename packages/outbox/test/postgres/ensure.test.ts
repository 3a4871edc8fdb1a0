import { eventually } from "@lockstep/testing";
import { postgresOutboxWriter } from "../../src/index.js";
import { postgres } from "../fixture/postgres.js";

describe("processes that make the outbox on PostgreSQL at the same moment", () => {
  it("leave it to the first one: nobody waits for a lock on tables that are in use by then", async () => {
    const db = await postgres.open();
    try {
      const [first, relay, second] = [await db.session(), await db.session(), await db.session()];
      const writer = postgresOutboxWriter({ schema: "raced" });
      const lock = "hashtextextended('lockstep ddl raced', 0)";
      await first.run(`select pg_advisory_lock(${lock})`);
      await second.run("set lock_timeout = '20s'");
      const ensured = writer.ensure(second.run);
      await eventually(() => db.someoneWaits(relay), { what: "the second one to wait for the first" });
      await writer.ensure(first.run);
      await relay.run("begin");
      await relay.run("select from raced.state for update");
      await first.run(`select pg_advisory_unlock(${lock})`);
      await ensured;
      await relay.run("rollback");
    } finally {
      await db.drop();
    }
  });
});
