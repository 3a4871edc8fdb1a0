import { expect } from "chai";
import { readStatement, writtenTables } from "../../../src/capture/subscriber/statement.js";

describe("readStatement", () => {
  const kinds: readonly (readonly [string, string])[] = [
    ["SELECT 1", "other"],
    ["select * from t for update", "other"],
    ["START TRANSACTION", "begin"],
    ["start transaction isolation level serializable", "begin"],
    ["START SLAVE", "other"],
    ["BEGIN", "begin"],
    ["BEGIN NOT ATOMIC SELECT 1; END", "other"],
    ["COMMIT", "commit"],
    ["  /* c */ commit;", "commit"],
    ["END", "commit"],
    ["PREPARE TRANSACTION 'x'", "commit"],
    ["PREPARE p AS SELECT 1", "other"],
    ["COMMIT PREPARED 'x'", "other"],
    ["ROLLBACK", "rollback"],
    ["ABORT", "rollback"],
    ["ROLLBACK PREPARED 'x'", "other"],
    ["SAVEPOINT typeorm_1", "savepoint"],
    ["RELEASE SAVEPOINT typeorm_1", "release"],
    ["ROLLBACK TO SAVEPOINT typeorm_1", "rollback-to"],
    ["ROLLBACK WORK TO typeorm_1", "rollback-to"],
    ["INSERT INTO t VALUES (1)", "write"],
    ["-- why\nUPDATE t SET a = 1", "write"],
    ["WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "write"],
    ["WITH x AS (SELECT 1) SELECT * FROM x", "other"],
    ["TRUNCATE TABLE t", "truncate"],
    ["ALTER TABLE t ADD c int", "definition"],
    ["CREATE TEMPORARY TABLE t (a int)", "other"],
    ["CREATE OR REPLACE TEMPORARY TABLE t (a int)", "other"],
    ["CREATE /*!50000 TEMPORARY */ TABLE t (a int)", "other"],
    ["/*!50000 ALTER TABLE t ADD c int */", "definition"],
    ["/*M!100101 COMMIT */", "commit"],
    ["ANALYZE TABLE t", "definition"],
    ["ANALYZE FORMAT=JSON UPDATE t SET a = 1", "write"],
    ["ANALYZE SELECT 1", "other"],
    ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "other"],
    ["", "other"],
  ];
  for (const [sql, kind] of kinds) {
    it(`${JSON.stringify(sql)} is ${kind}`, () => {
      expect(readStatement(sql).kind).to.equal(kind);
    });
  }

  it("names savepoints as the server folds them", () => {
    expect(readStatement("SAVEPOINT Mine")).to.deep.equal({ kind: "savepoint", name: "mine" });
    expect(readStatement('ROLLBACK TO "Mine";')).to.deep.equal({ kind: "rollback-to", name: "Mine" });
  });

  it("sees chains", () => {
    expect(readStatement("COMMIT AND CHAIN")).to.deep.equal({ kind: "commit", chains: true, plain: false });
    expect(readStatement("ROLLBACK AND CHAIN")).to.deep.equal({ kind: "rollback", chains: true });
  });
});

describe("writtenTables", () => {
  const tables: readonly (readonly [string, readonly object[]])[] = [
    ["INSERT INTO author (a) VALUES (1)", [{ name: "author" }]],
    ["insert ignore into `a``b` values (1)", [{ name: "a`b" }]],
    ['UPDATE "public"."author" SET a = 1', [{ namespace: "public", name: "author" }]],
    ["UPDATE ONLY author SET a = 1", [{ name: "author" }]],
    ["DELETE FROM s.author WHERE 1 = 1", [{ namespace: "s", name: "author" }]],
    ["TRUNCATE TABLE author", [{ name: "author" }]],
    ["MERGE INTO author USING x ON true", [{ name: "author" }]],
    [
      "WITH x AS (UPDATE author SET a = 1 RETURNING *) INSERT INTO tag SELECT 1",
      [{ name: "author" }, { name: "tag" }],
    ],
    ["LOAD DATA LOCAL INFILE 'f' INTO TABLE author", [{ name: "author" }]],
    ["COPY author FROM STDIN", [{ name: "author" }]],
    ["SELECT 1", []],
  ];
  for (const [sql, expected] of tables) {
    it(JSON.stringify(sql), () => {
      expect(writtenTables(sql)).to.deep.equal(expected);
    });
  }
});

describe("readStatement on long white space", () => {
  it("takes linear time", () => {
    const started = performance.now();
    expect(readStatement(`\n${" ".repeat(20_000)}`)).to.deep.equal({ kind: "other" });
    expect(readStatement(`${" ".repeat(20_000)}/* a */ /* b */ COMMIT`)).to.include({ kind: "commit" });
    expect(performance.now() - started).to.be.lessThan(5_000);
  });
});
