import { expect } from "chai";
import { widens } from "../../src/tables/widening.js";

describe("widening a managed column", () => {
  for (const [from, to] of [
    ["varchar(40)", "VARCHAR(100)"],
    ["varchar(40)", "LONGTEXT"],
    ["char(10)", "varchar(10)"],
    ["smallint(6)", "INT"],
    ["int(11)", "bigint(20)"],
    ["int(10) unsigned", "bigint(20)"],
    ["decimal(12,2)", "DECIMAL(14,2)"],
    ["decimal(12,2)", "decimal(13,3)"],
    ["float", "double"],
    ["text", "longtext"],
    ["datetime", "datetime(6)"],
    ["varbinary(16)", "varbinary(32)"],
    ["enum('a','b')", "enum('a','b','c')"],
  ] as const) {
    it(`${from} may become ${to}, and not the other way`, () => {
      expect(widens(from, to)).equal(true);
      expect(widens(to, from)).equal(false);
    });
  }

  for (const [from, to] of [
    ["varchar(40)", "varchar(40)"],
    ["int(11)", "INT"],
    ["int(11)", "bigint(20) unsigned"],
    ["decimal(12,2)", "decimal(12,4)"],
    ["enum('a','b')", "enum('b','a','c')"],
    ["enum('a')", "set('a','b')"],
    ["char(100)", "varchar(40)"],
    ["date", "datetime(6)"],
    ["bigint(20)", "longtext"],
    ["geometry", "longtext"],
  ] as const) {
    it(`${from} must not become ${to}`, () => expect(widens(from, to)).equal(false));
  }
});
