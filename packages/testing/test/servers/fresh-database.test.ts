import { expect } from "chai";
import { freshMariaDb, freshPostgres, freshRedis } from "../../src/index.js";
import { askMariaDb, askPostgres, askRedis } from "./asking.js";

describe("fresh databases", () => {
  it("PostgreSQL: each is empty and its own, and drop() removes it under an open connection", async () => {
    const [one, two] = await Promise.all([freshPostgres(), freshPostgres()]);
    await askPostgres(one.url, "CREATE TABLE mine (id int)");
    expect(await askPostgres(two.url, "SELECT to_regclass('mine') AS found")).to.deep.equal([
      { found: null },
    ]);
    const sleeper = askPostgres(one.url, "SELECT pg_sleep(60)").catch(
      (error: { code?: string }) => error.code,
    );
    await one.drop();
    expect(await sleeper).to.be.oneOf(["57P01", "3D000"]);
    await two.drop();
    const left = await askPostgres((await freshPostgres()).url, "SELECT datname FROM pg_database");
    const names = left.map((row) => row["datname"]);
    expect(names).to.not.include(nameIn(one.url)).and.not.include(nameIn(two.url));
  });

  it("PostgreSQL: drop() removes a database that has a replication slot", async () => {
    const database = await freshPostgres();
    const slot = `slot_${nameIn(database.url)}`;
    await askPostgres(database.url, `SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    await database.drop();
    const other = await freshPostgres();
    const count = `SELECT count(*)::int AS n FROM pg_replication_slots WHERE slot_name = '${slot}'`;
    expect(await askPostgres(other.url, count)).to.deep.equal([{ n: 0 }]);
    await other.drop();
  });

  it("MariaDB: each is empty and its own", async () => {
    const [one, two] = await Promise.all([freshMariaDb(), freshMariaDb()]);
    await askMariaDb(one.url, "CREATE TABLE mine (id int)");
    expect(await askMariaDb(two.url, "SHOW TABLES")).to.deep.equal([]);
    await one.drop();
    expect(await askMariaDb(two.url, `SHOW DATABASES LIKE '${nameIn(one.url)}'`)).to.deep.equal([]);
    await two.drop();
  });

  it("Redis: each is empty and its own, and is given out again after drop()", async () => {
    const [one, two] = await Promise.all([freshRedis(), freshRedis()]);
    expect(one.url).to.not.equal(two.url);
    await askRedis(one.url, (redis) => redis.set("mine", 1));
    expect(await askRedis(two.url, (redis) => redis.dbsize())).to.equal(0);
    await one.drop();
    const third = await freshRedis();
    expect(third.url).to.equal(one.url);
    expect(await askRedis(third.url, (redis) => redis.dbsize())).to.equal(0);
    await Promise.all([two.drop(), third.drop()]);
  });

  it("Redis: a database that holds somebody's keys is left alone", async () => {
    const probe = await freshRedis();
    const next = new URL(probe.url);
    next.pathname = `/${Number(nameIn(probe.url)) + 20}`;
    await askRedis(next.href, (redis) => redis.set("precious", 1));
    const taken = await Promise.all(Array.from({ length: 30 }, () => freshRedis()));
    expect(taken.map((database) => database.url)).to.not.include(next.href);
    expect(await askRedis(next.href, (redis) => redis.get("precious"))).to.equal("1");
    await askRedis(next.href, (redis) => redis.del("precious"));
    await Promise.all([probe, ...taken].map((database) => database.drop()));
  });
});

function nameIn(url: string): string {
  return new URL(url).pathname.slice(1);
}
