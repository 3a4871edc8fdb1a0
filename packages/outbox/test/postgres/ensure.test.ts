import { eventually } from "@lockstep/testing";
import { expect } from "chai";
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

describe("an outbox on PostgreSQL from before larger rows were compressed", () => {
  it("compresses what is written from now on, and is left alone from then on", async () => {
    const db = await postgres.open();
    try {
      const app = await db.session();
      const compression = async (): Promise<unknown[]> =>
        (
          await app.run(`select to_jsonb(a)->>'attcompression' as how from pg_attribute a
  where attrelid = 'lockstep.outbox'::regclass and attname in ('image', 'version')`)
        ).map(({ how }) => how);
      const made = await compression();
      if (made.includes("l"))
        await app.run(
          "alter table lockstep.outbox alter image set compression pglz, alter version set compression pglz",
        );
      await app.run("drop function lockstep.pack_bytes(); update lockstep.state set format = 18");
      await db.writer.ensure(app.run);
      expect(await compression()).to.deep.equal(made);
      expect(await app.run("select lockstep.pack_bytes() as room")).to.deep.equal([{ room: made.includes("l") ? 32_768 : 6_600 }]); // prettier-ignore
      // Nobody waits for who writes to the outbox when it is made sure of once more.
      const other = await db.session();
      await other.run("begin; lock table lockstep.outbox in row exclusive mode");
      await app.run("update lockstep.state set format = 18; set lock_timeout = '1s'");
      await db.writer.ensure(app.run);
      await other.run("rollback");
    } finally {
      await db.drop();
    }
  });
});
