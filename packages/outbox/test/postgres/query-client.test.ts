import { freshPostgres, leftBehind, type FreshDatabase } from "@lockstep/testing";
import { expect } from "chai";
import pg from "pg";
import { queryClient } from "../../src/postgres/query-client.js";

describe("the relay's client of PostgreSQL", () => {
  let database: FreshDatabase;
  let client: pg.Client;
  before(async () => {
    database = await freshPostgres();
    client = new (queryClient(pg, 60_000))(database.url);
    client.on("error", () => undefined);
    await client.connect();
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  it("gives rows and errors as pg does", async () => {
    expect((await client.query("select 1 as n")).rows).to.deep.equal([{ n: 1 }]);
    expect((await client.query("select $1::int as n", [2])).rows).to.deep.equal([{ n: 2 }]);
    const named = { name: "three", text: "select $1::int", values: [3], rowMode: "array" as const };
    expect((await client.query(named)).rows).to.deep.equal([[3]]);
    const refused = await client.query("select 1 / 0").catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(pg.DatabaseError).with.property("code", "22012");
    expect((await client.query("select 4 as n")).rows).to.deep.equal([{ n: 4 }]);
  });

  it("leaves nothing of what a query brought to the next full collection", async () => {
    const module = new URL("./left-behind-process.js", import.meta.url);
    // Of more than nine million.
    expect(await leftBehind({ module, name: "querying", args: [database.url] })).to.be.lessThan(2_000_000);
  });

  it("ends a query that has no answer in time", async () => {
    const slow = new (queryClient(pg, 50))(database.url);
    slow.on("error", () => undefined);
    await slow.connect();
    try {
      const error = await slow.query("select pg_sleep(60)").catch((refused: unknown) => refused);
      expect(error).to.be.instanceOf(Error).with.property("message", "Query read timeout");
    } finally {
      await slow.end();
    }
    const patient = { text: "select pg_sleep(0.2)", query_timeout: 0 };
    const other = new (queryClient(pg, 50))(database.url);
    await other.connect();
    try {
      expect((await other.query(patient)).rowCount).to.equal(1);
    } finally {
      await other.end();
    }
  });
});
