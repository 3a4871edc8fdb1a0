import { expect } from "chai";
import { compareSides, type FreshDatabase, freshMariaDb, freshPostgres, openSide } from "../../src/index.js";

const postgresTable = `CREATE TABLE things (
  a bigint, b text, on_time timestamptz, ok boolean, raw bytea, doc jsonb, price numeric(12,2), ratio double precision, PRIMARY KEY (a, b))`;
const postgresRows = `INSERT INTO things VALUES
  (9007199254740993, 'ä🎉', '2026-01-02 03:04:05.678901+02', true, '\\x00ff', '{"b": 9007199254740993, "a": [1, "x: 1"]}', 1.10, 1e20),
  (1, '', NULL, false, '', NULL, NULL, 0.1)`;
const mariaDbTable = `CREATE TABLE things (
  a bigint, b varchar(50) COLLATE utf8mb4_bin, on_time datetime(6), ok tinyint(1), raw longblob, doc json, price decimal(12,2), ratio double, PRIMARY KEY (a, b))`;
const mariaDbRows = `INSERT INTO things VALUES
  (9007199254740993, 'ä🎉', '2026-01-02 01:04:05.678901', 1, x'00FF', '{"a":[1,"x: 1"],"b":9007199254740993}', 1.10, 1e20),
  (1, '', NULL, 0, '', NULL, NULL, 0.1)`;

describe("convergence check", () => {
  let left: FreshDatabase;
  let right: FreshDatabase;
  before(async () => void ([left, right] = await Promise.all([freshPostgres(), freshMariaDb()])));
  after(() => Promise.all([left.drop(), right.drop()]));

  it("sees the same rows on both engines, and every single difference", async () => {
    await using source = await openSide(left.url);
    await using target = await openSide(right.url);
    for (const sql of [postgresTable, postgresRows]) await source.query(sql);
    for (const sql of [mariaDbTable, mariaDbRows]) await target.query(sql);
    const same = await compareSides(source, target);
    expect(same).to.deep.equal({ tables: 1, rows: 2, missing: 0, extra: 0, differing: 0, examples: [] });

    const changes = [
      ["on_time = '2026-01-02 01:04:05.678902'", "on_time"],
      ["ok = 0", "ok"],
      ["raw = x'00FE'", "raw"],
      [`doc = '{"a":[1,"x: 1"],"b":9007199254740992}'`, "doc"],
      ["price = 1.11", "price"],
      ["ratio = 1.0000000001e20", "ratio"],
      ["doc = NULL", "doc"],
    ] as const;
    for (const [change, column] of changes) {
      await target.query("START TRANSACTION");
      await target.query(`UPDATE things SET ${change} WHERE a > 1`);
      const found = await compareSides(source, target);
      await target.query("ROLLBACK");
      expect(found, change).to.include({ missing: 0, extra: 0, differing: 1 });
      expect(found.examples[0], change).to.match(new RegExp(`differs in ${column}$`));
    }

    await target.query("UPDATE things SET a = 2 WHERE a = 1");
    expect(await compareSides(source, target)).to.include({ missing: 1, extra: 1, differing: 0 });
    const explained = [
      { table: "things", key: '["1",""]' },
      { table: "things", key: '["2",""]' },
    ];
    expect(await compareSides(source, target, { explained })).to.include({ missing: 0, extra: 0 });

    await target.query("DROP TABLE things");
    expect(await compareSides(source, target)).to.include({ missing: 2 });
  });
});
