import { postgresVersionTriggers } from "@lockstep/outbox";
import { expect } from "chai";
import { makeTwoWay, targetTables, toldVersion } from "../two-way-node.js";
import { LogFollower, openWalSource, type WalSource } from "./wal-source.js";

describe("the write-ahead log: versions of two-way rows", () => {
  let source: WalSource;
  let follower: LogFollower;
  const stamps = async (): Promise<Record<string, string>> => {
    const rows = await source.sql("select row_key, stamp::text as stamp from lockstep.row_version");
    return Object.fromEntries(rows.map(({ row_key, stamp }) => [row_key!, stamp!]));
  };
  /** What comes in of `n` events. */
  const next = async (n: number): Promise<string[]> => {
    const before = follower.events.length;
    return (await follower.until(before + n)).slice(before).map(toldVersion);
  };

  before(async () => {
    source = await openWalSource();
    await source.sql(targetTables.postgres);
    await source.sql(
      "create table item (id bigint primary key, name text); create table plain (id int primary key)",
    );
    await source.install("item", "plain");
    await makeTwoWay(postgresVersionTriggers(), source.sql, "public", "item");
    follower = await LogFollower.lead(source.log());
  });
  after(async () => {
    await source[Symbol.asyncDispose]();
  });

  it("are in the log from the first write on, and the capture agrees that they are", async () => {
    expect((await source.plan("item", "plain")).findings).to.deep.equal([]);
    const rows = await source.sql(
      "select tablename from pg_publication_tables where tablename = 'row_version'",
    );
    expect(rows).to.have.length(1);
  });

  it("stand in each event of a statement, a later statement's in its own", async () => {
    await source.sql("begin; insert into item values (1, 'a'), (2, 'b'); insert into plain values (1)");
    const first = await stamps();
    await source.sql("update item set name = 'c'; commit");
    const second = await stamps();
    await source.sql("delete from item where id = 1");
    const third = await stamps();
    expect(await next(6)).to.deep.equal([
      `insert ["1"] n@${first['["1"]']}`,
      `insert ["2"] n@${first['["2"]']}`,
      'insert ["1"] none',
      `update ["1"] n@${second['["1"]']}`,
      `update ["2"] n@${second['["2"]']}`,
      `delete ["1"] n@${third['["1"]']}`,
    ]);
  });

  it("of a rolled back savepoint are those of no event, nor is one that an INSERT of nothing didn't make", async () => {
    await source.sql(`begin; savepoint s; update item set name = 'never' where id = 2; rollback to s;
      insert into item values (2, 'x') on conflict do nothing; insert into item values (3, 'd'); commit`);
    expect(await next(1)).to.deep.equal([`insert ["3"] n@${(await stamps())['["3"]']}`]);
  });

  it("of a lane's writes stand before their rows, and in each event that a row has of them", async () => {
    await source.sql(`begin; set local lockstep.origin = 'main'; insert into lockstep.checkpoint values ('main', '1-1');
      insert into lockstep.row_version (table_name, row_key) values ('item', '["9"]');
      insert into lockstep.row_version (table_name, row_key, stamp, node, seen, came_from) values
        ('item', '["4"]', 7, 'main', '{"main":7}', 'main'), ('item', '["5"]', 8, 'main', '{"main":8}', 'main');
      insert into item values (4, 'aside'), (5, 'e'), (9, 'unversioned'); update item set name = 'final' where id = 4; commit`);
    expect(await next(4)).to.deep.equal([
      'insert ["4"] main@7 from main',
      'insert ["5"] main@8 from main',
      'insert ["9"] none',
      'update ["4"] main@7 from main',
    ]);
    expect(follower.events.at(-1)?.transaction.origin).to.equal("main");
  });

  it("stand in rows of the outbox, and end with their transaction", async () => {
    await source.sql(
      "begin; set local lockstep.origin = 'main'; insert into lockstep.row_version (table_name, row_key, stamp, node, seen) values ('item', '[\"6\"]', 9, 'main', '{\"main\":9}'); commit",
    );
    await source.sql("begin; set local lockstep.origin = 'main'; insert into item values (6, 'f'); commit");
    await source.writer.append(
      source.sql,
      [{ table: { namespace: "public", name: "item" }, op: "update", key: ["6"] }],
      {},
    );
    expect(await next(2)).to.deep.equal(['insert ["6"] none', 'update ["6"] main@9']);
  });
});
