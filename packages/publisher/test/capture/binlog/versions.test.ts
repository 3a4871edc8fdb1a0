import type { ChangeLog, LoggedEvent, Position } from "@lockstep/core";
import { mysqlVersionTriggers } from "@lockstep/outbox";
import { expect } from "chai";
import { makeTwoWay, targetTables, toldVersion } from "../two-way-node.js";
import { begin, type BinlogSource, endOf, openBinlogSource, readAll, type Session } from "./binlog-source.js";

describe("the binlog: versions of two-way rows", () => {
  let source: BinlogSource;
  let log: ChangeLog;
  let lane: Session;
  let at: Position;
  const stamps = async (): Promise<Record<string, string>> => {
    const rows = await source.run("select row_key as k, stamp as stamp from lockstep_row_version");
    return Object.fromEntries(rows.map(({ k, stamp }) => [String(k), String(stamp)]));
  };
  const events = async (): Promise<LoggedEvent[]> => {
    const all = await readAll(log, at);
    if (all.length > 0) at = endOf(all);
    return all;
  };
  const told = async (): Promise<string[]> => (await events()).map(toldVersion);
  const run = async (...statements: readonly string[]): Promise<void> => {
    for (const statement of statements) await source.run(statement);
  };

  before(async () => {
    source = await openBinlogSource();
    await run(...targetTables.mysql);
    await run(
      "create table item (id bigint auto_increment primary key, name varchar(40))",
      "create table plain (id int primary key)",
    );
    await source.describe("item", "plain");
    await makeTwoWay(mysqlVersionTriggers(), source.run, source.namespace, "item");
    lane = await source.session();
    await lane.run("set @lockstep_origin = 'main'");
    log = source.log();
    at = await begin(log);
  });
  after(() => source.close());

  it("stand in each event of a statement, a later statement's in its own", async () => {
    await run("begin", "insert into item (name) values ('a'), ('b')", "insert into plain values (1)");
    const first = await stamps();
    await run("update item set name = 'c'", "commit");
    const second = await stamps();
    await run("delete from item where id = 1");
    const third = await stamps();
    expect(await told()).to.deep.equal([
      `insert ["1"] n@${first['["1"]']}`,
      `insert ["2"] n@${first['["2"]']}`,
      'insert ["1"] none',
      `update ["1"] n@${second['["1"]']}`,
      `update ["2"] n@${second['["2"]']}`,
      `delete ["1"] n@${third['["1"]']}`,
    ]);
  });

  it("are not made of an UPDATE that the log leaves out, nor of what a savepoint takes back", async () => {
    const before = await stamps();
    await run(
      "begin",
      "update item set name = name where id = 2",
      "savepoint s",
      "update item set name = 'never'",
    );
    await run("rollback to savepoint s", "insert ignore into item values (2, 'x')", "commit");
    expect(await stamps()).to.deep.equal(before);
    await run(
      "replace into item values (2, 'y')",
      "insert into item values (2, 'y') on duplicate key update name = 'z'",
    );
    const now = (await stamps())['["2"]'];
    const all = await told();
    expect(all.map((text) => text.split(" n@")[0])).to.deep.equal([
      'delete ["2"]',
      'insert ["2"]',
      'update ["2"]',
    ]);
    expect(all[2]).to.equal(`update ["2"] n@${now}`);
    expect(all.join()).not.to.match(/none/);
  });

  it("of a lane's writes stand before their rows, and in each event that a row has of them", async () => {
    const checkpoint = "replace into lockstep_checkpoint values ('main', '1-1')";
    const versions = `insert into lockstep_row_version (table_name, row_key, stamp, node, seen, came_from) values
      ('item', '["4"]', 7, 'main', '{"main":7}', 'main'), ('item', '["5"]', 8, 'main', '{"main":8}', 'main'), ('item', '["9"]', 0, '', '{}', null)`;
    const rows = "insert into item values (4, 'aside'), (5, 'e'), (9, 'unversioned')";
    for (const sql of ["begin", checkpoint, versions, rows]) await lane.run(sql);
    // Behind the last row: of a lane the next set's, not that row's.
    await lane.run(`update lockstep_row_version set stamp = 9 where row_key = '["9"]'`);
    for (const sql of ["update item set name = 'final' where id = 4", "commit"]) await lane.run(sql);
    const all = await events();
    expect(all.map(toldVersion)).to.deep.equal([
      'insert ["4"] main@7 from main',
      'insert ["5"] main@8 from main',
      'insert ["9"] none',
      'update ["4"] main@7 from main',
    ]);
    expect(all[0]?.transaction.origin).to.equal("main");
  });

  it("stand in each event of a transaction of which a part goes ahead", async () => {
    const values = Array.from({ length: 3_000 }, (_, i) => `(${i + 100}, 'n')`).join(",");
    await run(
      "begin",
      `insert into item values ${values}`,
      `update item set name = 'm' where id >= 100`,
      "commit",
    );
    const now = await stamps();
    const all = await events();
    expect(all).to.have.length(6_000);
    expect(all.filter(({ version }) => version === undefined)).to.have.length(0);
    for (const event of all.slice(3_000)) {
      expect(toldVersion(event)).to.equal(`update ${event.key} n@${now[event.key]}`);
    }
  });

  it("stand in rows of the outbox", async () => {
    const outbox =
      "insert into lockstep_outbox (at, op, fingerprint, row_key) select utc_timestamp(6), 'd', fingerprint, '[\"2\"]'";
    await run(`${outbox} from lockstep_table_schema where definition like '%"name":"item"%' limit 1`);
    expect(await told()).to.deep.equal([`delete ["2"] n@${(await stamps())['["2"]']}`]);
  });

  it("are whole though a session logs only parts of its rows", async () => {
    const odd = await source.session();
    await odd.run("set session binlog_row_image = 'MINIMAL'");
    await odd.run("update item set name = 'q' where id = 5");
    expect(await told()).to.deep.equal([`update ["5"] n@${(await stamps())['["5"]']}`]);
  });
});
