import { isLockstepError } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import pg from "pg";
import { LogFollower, openWalSource, type WalSource } from "./wal-source.js";

describe("the write-ahead log: installing", () => {
  let source: WalSource;

  beforeEach(async () => {
    source = await openWalSource();
    await source.sql("create table doc (id int primary key, body text)");
  });
  afterEach(async () => {
    await source[Symbol.asyncDispose]();
  });

  const openElsewhere = async (name: string): Promise<pg.Client> => {
    const client = await source.connect();
    await client.query(`set application_name = '${name}'`);
    await client.query("begin");
    return client;
  };
  const refusal = async (work = () => source.install("doc")): Promise<Error> => {
    // The time that a lock may take; by itself it is longer.
    await source.sql("set lock_timeout = '200ms'");
    const error: unknown = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    await source.sql("reset lock_timeout");
    expect(isLockstepError(error, "CAPTURE_INSTALL_WAITS"), String(error)).to.equal(true);
    return error as Error;
  };
  const made = () =>
    source.sql(`select slot_name from pg_replication_slots where database = current_database()`);
  const identity = async (): Promise<unknown> =>
    (await source.sql("select relreplident::text as i from pg_class where relname = 'doc'"))[0]!["i"];

  it("waits for open transactions, not for ever, and names them; run again it goes on, and removing takes all of it back", async () => {
    const writer = await openElsewhere("billing");
    await writer.query("create table elsewhere (secret text)");
    await writer.query("insert into elsewhere values ('secret')");
    const reader = await openElsewhere("report");
    await reader.query("select from pg_class");
    const { message } = await refusal();
    const [{ pid }] = (await writer.query<{ pid: number }>("select pg_backend_pid() as pid")).rows as [
      { pid: number },
    ];
    expect(message).to.match(new RegExp(`pid ${pid} \\("billing", open for \\d+ s\\)`));
    expect(message).not.to.match(/report|secret|insert/);
    expect(await made()).to.deep.equal([]);
    expect((await source.plan("doc")).findings.map((f) => f.message)).to.deep.equal([
      "there is no replication slot yet",
    ]);
    await writer.query("commit");
    await source.install("doc");
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into doc values (1, 'a')");
    expect(await follower.until(1)).to.have.length(1);
    expect(await identity()).to.equal("f");
    await source.remove();
    expect([await made(), await identity()]).to.deep.equal([[], "d"]);
  });

  it("gives up a table's lock soon, so that nobody queues behind it, and names who holds it", async () => {
    const reader = await openElsewhere("report");
    await reader.query("select from doc");
    const { message } = await refusal();
    expect(message).to.match(/pid \d+ \("report", open for \d+ s\)/);
    expect(await identity()).to.equal("d");
    await source.sql("insert into doc values (1, 'a')");
    await reader.query("commit");
    await source.install("doc");
    expect((await source.plan("doc")).findings).to.deep.equal([]);
    await reader.query("begin; select from doc");
    expect((await refusal(() => source.remove("doc"))).message).to.include("report");
    expect((await source.plan("doc")).findings).to.deep.equal([]);
  });

  it("gives each table back the replica identity that it had", async () => {
    await source.sql(`create table "Odd ""one" (id int primary key, code text not null unique, body text);
      create table lone (id int primary key, code text not null unique, body text); create table mute (id int primary key, body text);
      create table whole (id int primary key, body text); create table own (id int primary key, body text); create table part (id int primary key, body text) partition by range (id);
      create table part_1 partition of part for values from (0) to (9);
      alter table "Odd ""one" replica identity using index "Odd ""one_code_key"; alter table lone replica identity using index lone_code_key;
      alter table mute replica identity nothing; alter table whole replica identity full; alter table part_1 replica identity nothing`);
    const identities = async () =>
      (
        await source.sql(`select c.relname, c.relreplident::text || coalesce(' ' || i.indexrelid::regclass::text, '') as now from pg_class c
  left join pg_index i on i.indrelid = c.oid and i.indisreplident where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by 1`)
      ).map(({ relname, now }) => `${relname} ${now}`);
    const tables = ["doc", 'Odd "one', "lone", "mute", "whole", "own", "part"];
    await source.install(...tables);
    expect((await identities()).map((text) => text.at(-1))).to.deep.equal(Array(7).fill("f"));
    // What is changed meanwhile is somebody's choice, or nothing to go back to.
    await source.sql(
      "alter table own replica identity nothing; alter table lone drop constraint lone_code_key",
    );
    await source.sql(`alter index "Odd ""one_code_key" rename to by_code`);
    await source.install(...tables.filter((name) => name !== "own"));
    await source.remove();
    expect(await identities()).to.deep.equal([
      'Odd "one i by_code',
      "doc d",
      "lone d",
      "mute n",
      "own n",
      "part_1 n",
      "whole f",
    ]);
  });

  it("takes back what a version before changed, which kept only whose identity it was", async () => {
    await source.install("doc");
    await source.sql("alter table lockstep.wal_widened drop column identity, drop column by_index");
    await source.remove();
    expect(await identity()).to.equal("d");
  });

  it("refuses a table that others inherit from, whose rows are theirs too, and says so when one comes to it later", async () => {
    const refused = {
      table: "public.doc",
      problem: "refused",
      message:
        "public.doc: other tables inherit from it, and its rows and theirs have no common primary key: leave it out",
    };
    await source.sql("create table note (extra int) inherits (doc)");
    await source.install("doc");
    expect((await source.plan("doc")).findings).to.deep.include(refused);
    await source.sql("insert into note values (1, 'a'); update doc set body = 'b'");
    await source.sql("alter table note no inherit doc");
    await source.install("doc");
    expect((await source.plan("doc")).findings).to.deep.equal([]);
    await source.sql("alter table note inherit doc");
    expect((await source.plan("doc")).findings).to.deep.equal([refused]);
  });

  it("refuses an unlogged table", async () => {
    await source.sql("create unlogged table scratch (id int primary key)");
    await source.install("scratch");
    expect((await source.plan("scratch")).findings.map(({ message }) => message)).to.include(
      "public.scratch is unlogged: alter table … set logged, or leave it out",
    );
  });

  it("is done once by several processes that start at the same moment", async () => {
    await Promise.all([1, 2, 3].map(() => source.installBeside("doc")));
    expect(await made()).to.have.length(1);
    const log = source.log();
    const follower = await LogFollower.lead(log);
    await source.sql("insert into doc values (1, 'a')");
    await eventually(async () => {
      await follower.look();
      return follower.events.length === 1;
    });
  });

  it("succeeds while other transactions of the server change tables", async () => {
    let isOver = false;
    const altering = [1, 2, 3].map(async (n) => {
      const other = await source.connect();
      while (!isOver) await other.query(`create table other_${n} (id int); drop table other_${n}`);
    });
    try {
      for (let round = 0; round < 4; round++) {
        await source.install("doc");
        expect(await made()).to.have.length(1);
        await source.remove();
      }
    } finally {
      isOver = true;
      await Promise.all(altering);
    }
  });
});
