import { expect } from "chai";
import { onlyReads } from "../src/statement.js";

describe("a statement that only reads", () => {
  for (const sql of [
    "select 1",
    "  SELECT * FROM t WHERE a = 'delete; drop'",
    '(select "update" from t) union (select 1);',
    "/* route */ SELECT `into` FROM t -- for update",
    "WITH x AS (SELECT 1) SELECT replace(a, 'b', 'c') FROM x",
    "SHOW server_version",
    "EXPLAIN SELECT 1",
  ])
    it(sql, () => expect(onlyReads(sql)).to.equal(true));
});

describe("a statement that may write or lock", () => {
  for (const sql of [
    "insert into t values (1)",
    "SELECT 1; DELETE FROM t",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR NO KEY UPDATE",
    "SELECT * FROM t FOR KEY SHARE",
    "SELECT * FROM t LOCK IN SHARE MODE",
    "SELECT a INTO copy FROM t",
    "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
    "EXPLAIN ANALYZE DELETE FROM t",
    "START TRANSACTION",
    "COMMIT",
    "CALL change_it()",
    "",
  ])
    it(sql || "nothing", () => expect(onlyReads(sql)).to.equal(false));
});
