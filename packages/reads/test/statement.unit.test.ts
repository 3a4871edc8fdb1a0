import { expect } from "chai";
import { type Dialect, onlyReads } from "../src/statement.js";

const dialects: readonly Dialect[] = ["postgres", "mysql"];

function judge(dialect: Dialect, sql: string, expected: boolean): void {
  it(`${dialect}: ${sql || "nothing"}`, () => expect(onlyReads(sql, dialect)).to.equal(expected));
}

describe("a statement that only reads", () => {
  for (const sql of [
    "select 1",
    "  SELECT * FROM t WHERE a = 'delete; drop'",
    '(select "update" from t) union (select 1);',
    "/* route */ SELECT a FROM t -- for update",
    "/* don't */ SELECT a FROM t -- isn't",
    "WITH x AS (SELECT 1) SELECT replace(a, 'b', 'c') FROM x",
    "SHOW server_version",
    "EXPLAIN SELECT 1",
    "SELECT 'it''s', a FROM t",
  ])
    for (const dialect of dialects) judge(dialect, sql, true);
  for (const sql of [
    "SELECT replace(path, '\\', '/') FROM t WHERE b LIKE '%' ESCAPE '\\'",
    "SELECT data #>> '{a,for update}' FROM t",
    "SELECT E'it\\'s for update', $$it's; delete$$, $a$ $$ into $a$ FROM t WHERE id = $1",
    "SELECT a FROM t WHERE b @> $1::jsonb AND c = $2",
  ])
    judge("postgres", sql, true);
  for (const sql of [
    "SELECT `into` FROM t # for update",
    "SELECT 'it\\'s for update', \"a\\\"; delete\" FROM t",
    "SELECT /*+ NO_INDEX_MERGE(t) */ a FROM t",
    "SELECT @a, a$b FROM t WHERE id = ?",
  ])
    judge("mysql", sql, true);
});

describe("a statement that may write or lock", () => {
  for (const sql of [
    "insert into t values (1)",
    "SELECT 1; DELETE FROM t",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR NO KEY UPDATE",
    "SELECT * FROM t FOR KEY SHARE",
    "SELECT * FROM t FOR /* isn't */ SHARE -- it's",
    "SELECT * FROM t LOCK IN SHARE MODE",
    "SELECT a INTO copy FROM t",
    "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
    "WITH locked AS (SELECT a FROM t FOR UPDATE) SELECT * FROM locked",
    "WITH gone AS (/* don't */ DELETE FROM t /* isn't */ RETURNING *) SELECT * FROM gone",
    "SELECT 1 -- it's\n; DELETE FROM t -- it's",
    "SELECT 1 /* /* */ ' */ FOR UPDATE -- '",
    "EXPLAIN ANALYZE DELETE FROM t",
    "START TRANSACTION",
    "COMMIT",
    "CALL change_it()",
    "SELECT 'without an end",
    "",
  ])
    for (const dialect of dialects) judge(dialect, sql, false);
  for (const sql of [
    "SELECT '\\' AS a FROM t FOR UPDATE -- '",
    "SELECT $$it's$$ FROM t FOR UPDATE; SELECT $$it's$$",
    "SELECT 1 -- a\r; DELETE FROM t",
    "SELECT a #> '{x}' FROM t FOR UPDATE",
  ])
    judge("postgres", sql, false);
  for (const sql of [
    "SELECT 1 # it's\n; DELETE FROM t # it's",
    "SELECT a--1 FROM t FOR UPDATE",
    "SELECT a FROM t /*! FOR UPDATE */",
    "SELECT a FROM t /*M!100100 FOR UPDATE */",
    "SELECT a FROM t /*!50000 INTO OUTFILE '/tmp/x' */",
    "SELECT a$$ FROM t FOR UPDATE -- $$",
  ])
    judge("mysql", sql, false);
});
