import { expect } from "chai";
import {
  hiddenWrite,
  refuseHiddenControl,
  statementsOf,
} from "../../../src/capture/subscriber/several-statements.js";

describe("several statements in one string", () => {
  const counts = [
    ["postgres", "SELECT 'a;b'; SELECT \"c;d\" -- e;\n; /* f; */", 2],
    ["postgres", "SELECT 'it''s;'", 1],
    ["postgres", String.raw`SELECT 'c:\'; COMMIT; SELECT ''`, 3],
    ["postgres", String.raw`SELECT E'it\'s;'`, 1],
    ["postgres", "DO $$ BEGIN a; b; END $$", 1],
    ["postgres", "SELECT $x$ ; $$ ; $x$, a #>> '{}' FROM t; COMMIT", 2],
    ["postgres", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", 1],
    ["mysql", String.raw`SELECT 'it\'s;', "a;", ` + "`b;`; SELECT 1 # c;", 2],
    ["mysql", "CREATE PROCEDURE p() BEGIN COMMIT; END", 1],
    ["mysql", "BEGIN NOT ATOMIC COMMIT; END", 1],
    ["mysql", "SELECT 1 /* ; */ -- ;\n", 1],
  ] as const;
  for (const [engine, sql, count] of counts) {
    it(`${engine}: ${count} in ${JSON.stringify(sql)}`, () => {
      expect(statementsOf(engine, sql)).to.have.length(count);
    });
  }

  it("finds a write that stands behind others", () => {
    expect(hiddenWrite("postgres", "SELECT 1; UPDATE t SET a = 1")).to.deep.equal({ kind: "write" });
    expect(hiddenWrite("postgres", "SELECT 'a; UPDATE t SET a = 1'; SELECT 2")).to.equal(undefined);
    // The statement at the beginning is judged as a whole string already.
    expect(hiddenWrite("mysql", "DELETE FROM t; DELETE FROM u")).to.equal(undefined);
  });

  const refused = (engine: "postgres" | "mysql", sql: string, isOpen: boolean): boolean => {
    try {
      refuseHiddenControl(engine, sql, isOpen);
      return false;
    } catch {
      return true;
    }
  };

  it("are refused where a transaction would begin or end unseen", () => {
    expect(refused("postgres", "UPDATE t SET a = 1; COMMIT", true)).to.equal(true);
    expect(refused("postgres", "BEGIN; UPDATE t SET a = 1", false)).to.equal(true);
    expect(refused("postgres", "BEGIN; COMMIT AND CHAIN", false)).to.equal(true);
    expect(refused("postgres", "SAVEPOINT a; SELECT 1", true)).to.equal(true);
    expect(refused("mysql", "DO 0; ALTER TABLE t ADD a INT", true)).to.equal(true);
  });

  it("go through where nothing depends on them", () => {
    expect(refused("postgres", "BEGIN; UPDATE t SET a = 1; COMMIT", false)).to.equal(false);
    expect(refused("postgres", "CREATE TABLE a (b int); CREATE TABLE c (d int)", true)).to.equal(false);
    expect(refused("mysql", "CREATE TABLE a (b int); DROP TABLE a", false)).to.equal(false);
    expect(refused("postgres", "COMMIT;", true)).to.equal(false);
    expect(refused("postgres", "SELECT 1; SELECT 2", true)).to.equal(false);
  });
});
