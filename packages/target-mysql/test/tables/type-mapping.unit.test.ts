import type { ColumnSchema } from "@lockstep/core";
import { expect } from "chai";
import { flavourOf } from "../../src/session/flavour.js";
import { columnType } from "../../src/tables/type-mapping.js";
import { schemaOf } from "../mysql-lane.js";

const mariadb = flavourOf("10.11.19-MariaDB", 1 << 24);
const mysql = flavourOf("8.0.40", 1 << 24);
const choice = { columnTypes: { "public.t.chosen": "DECIMAL(38,9)" }, keyLength: 255 };

function typeOf(
  kind: ColumnSchema["kind"],
  type: string,
  more: Partial<ColumnSchema> = {},
  inKey = false,
): string {
  const schema = schemaOf(
    "postgres",
    "t",
    { id: ["integer", "bigint"], v: [kind, type, more] },
    inKey ? ["v"] : ["id"],
  );
  return columnType(schema, schema.columns[1]!, mariadb, choice);
}

describe("types of managed columns", () => {
  for (const [kind, type, more, expected, inKey] of [
    ["boolean", "boolean", {}, "TINYINT(1)", "TINYINT(1)"],
    ["integer", "smallint", {}, "SMALLINT", "SMALLINT"],
    ["integer", "integer", {}, "INT", "INT"],
    ["integer", "bigint", {}, "BIGINT", "BIGINT"],
    ["integer", "oid", {}, "BIGINT", "BIGINT"],
    ["numeric", "numeric(12,2)", { precision: 12, scale: 2 }, "DECIMAL(12,2)", "DECIMAL(12,2)"],
    ["numeric", "numeric(3,-2)", { precision: 3, scale: -2 }, "DECIMAL(5,0)", "DECIMAL(5,0)"],
    ["numeric", "numeric(2,5)", { precision: 2, scale: 5 }, "DECIMAL(5,5)", "DECIMAL(5,5)"],
    ["float", "real", {}, "DOUBLE", "DOUBLE"],
    ["text", "text", {}, "LONGTEXT", "VARCHAR(255)"],
    ["text", "character varying(40)", { length: 40 }, "VARCHAR(40)", "VARCHAR(40)"],
    ["text", "character varying(4000)", { length: 4000 }, "LONGTEXT", "VARCHAR(768)"],
    ["bytes", "bytea", {}, "LONGBLOB", "VARBINARY(255)"],
    ["bits", "bit(8)", {}, "BIT(8)", "BIT(8)"],
    ["bits", "bit varying(8)", {}, "LONGTEXT", "VARCHAR(255)"],
    ["uuid", "uuid", {}, "CHAR(36)", "CHAR(36)"],
    ["json", "jsonb", {}, "LONGTEXT", "VARCHAR(255)"],
    ["enum", "mood", {}, "VARCHAR(255)", "VARCHAR(255)"],
    ["date", "date", {}, "DATE", "DATE"],
    ["time", "time without time zone", {}, "TIME(6)", "TIME(6)"],
    ["timestamp", "timestamp without time zone", {}, "DATETIME(6)", "DATETIME(6)"],
    ["timestamptz", "timestamp with time zone", {}, "DATETIME(6)", "DATETIME(6)"],
    ["other", "text[]", {}, "LONGTEXT", "VARCHAR(255)"],
    ["other", "interval", {}, "LONGTEXT", "VARCHAR(255)"],
  ] as const) {
    it(`${type} becomes ${expected}${inKey === expected ? "" : `, in a key ${inKey}`}`, () => {
      expect(typeOf(kind, type, more)).equal(expected);
      expect(typeOf(kind, type, more, true)).equal(inKey);
    });
  }

  it("takes the widest DECIMAL where the source allows more, unless a type is chosen", () => {
    expect(typeOf("numeric", "numeric")).equal("DECIMAL(65,30)");
    expect(typeOf("numeric", "numeric(70,2)", { precision: 70, scale: 2 })).equal("DECIMAL(65,2)");
    expect(typeOf("numeric", "numeric(60,40)", { precision: 60, scale: 40 })).equal("DECIMAL(58,38)");
    expect(typeOf("numeric", "numeric(100,50)", { precision: 100, scale: 50 })).equal("DECIMAL(65,38)");
    const schema = schemaOf("postgres", "t", { id: ["integer", "bigint"], chosen: ["numeric", "numeric"] });
    expect(columnType(schema, schema.columns[1]!, mariadb, choice)).equal("DECIMAL(38,9)");
    const long = schemaOf("postgres", "t", {
      id: ["numeric", "numeric(60,40)", { precision: 60, scale: 40 }],
    });
    expect(columnType(long, long.columns[0]!, mysql, choice)).equal("DECIMAL(50,30)");
  });

  it("keeps the type of the same engine, but not MySQL's JSON on MariaDB", () => {
    const schema = schemaOf("mysql", "t", { id: ["integer", "bigint(20) unsigned"], v: ["json", "json"] });
    expect(schema.columns.map((column) => columnType(schema, column, mariadb, choice))).deep.equal([
      "bigint(20) unsigned",
      "LONGTEXT",
    ]);
    expect(columnType(schema, schema.columns[1]!, mysql, choice)).equal("json");
  });
});
