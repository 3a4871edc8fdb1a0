import { isLockstepError } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import pg from "pg";
import { LogFollower, openWalSource, type WalSource } from "./wal-source.js";

describe("the write-ahead log: installing", function () {
  this.timeout(30_000);
  let source: WalSource;

  beforeEach(async () => {
    source = await openWalSource();
    await source.sql("create table doc (id int primary key, body text)");
    // The time that a lock may take; by itself it is longer.
    await source.sql("set lock_timeout = '200ms'");
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
  const refusal = async (work = source.install("doc")): Promise<Error> => {
    const error: unknown = await work.then(
      () => undefined,
      (error: unknown) => error,
    );
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
    expect((await refusal(source.remove("doc"))).message).to.include("report");
    expect((await source.plan("doc")).findings).to.deep.equal([]);
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
    await source.sql("set lock_timeout = '5s'");
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
