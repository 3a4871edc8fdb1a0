import type { ColumnKind, ColumnSchema } from "@lockstep/core";
import { expect } from "chai";
import { builtInCandidates, managedType } from "../../src/tables/type-mapping.js";

function column(type: string, kind: ColumnKind, rest: Partial<ColumnSchema> = {}): ColumnSchema {
  return { name: "c", type, kind, nullable: true, ...rest };
}

describe("managedType", () => {
  for (const [type, kind, rest, expected] of [
    ["tinyint(1)", "boolean", {}, "boolean"],
    ["tinyint(4)", "integer", {}, "smallint"],
    ["tinyint(3) unsigned", "integer", {}, "smallint"],
    ["smallint(6)", "integer", {}, "smallint"],
    ["smallint(5) unsigned", "integer", {}, "integer"],
    ["mediumint(9)", "integer", {}, "integer"],
    ["mediumint(8) unsigned", "integer", {}, "integer"],
    ["int(11)", "integer", {}, "integer"],
    ["int", "integer", {}, "integer"],
    ["int(10) unsigned zerofill", "integer", {}, "bigint"],
    ["bigint(20)", "integer", {}, "bigint"],
    ["bigint(20) unsigned", "integer", {}, "numeric(20,0)"],
    ["year(4)", "integer", {}, "integer"],
    ["decimal(12,2)", "numeric", { precision: 12, scale: 2 }, "numeric(12,2)"],
    ["float", "float", {}, "double precision"],
    ["varchar(40)", "text", { length: 40 }, "character varying(40)"],
    ["char(3)", "text", { length: 3 }, "character varying(3)"],
    ["longtext", "text", { length: 4_294_967_295 }, "text"],
    ["enum('a','b')", "enum", {}, "text"],
    ["varbinary(16)", "bytes", { length: 16 }, "bytea"],
    ["bit(7)", "bits", { length: 7 }, "bit(7)"],
    ["json", "json", {}, "json"],
    ["time(6)", "time", {}, "interval"],
    ["datetime(6)", "timestamp", {}, "timestamp(6) without time zone"],
    ["timestamp", "timestamptz", {}, "timestamp(6) with time zone"],
    ["date", "date", {}, "date"],
    ["uuid", "uuid", {}, "uuid"],
    ["point", "other", {}, "text"],
  ] as const) {
    it(`mysql ${type} → ${expected}`, () => {
      expect(managedType(column(type, kind, rest), "mysql", new Set())).equal(expected);
    });
  }

  it("keeps built-in types of PostgreSQL and makes all others text", () => {
    const builtIn = new Set(["numeric(12,2)", "integer[]", "citext", "mood"]);
    const typeOf = (type: string, kind: ColumnKind = "other") =>
      managedType(column(type, kind), "postgres", builtIn);
    expect(typeOf("numeric(12,2)")).equal("numeric(12,2)");
    expect(typeOf("integer[]")).equal("integer[]");
    expect(typeOf("mood", "enum")).equal("text");
    expect(typeOf("shop.mood[]")).equal("text[]");
    expect(typeOf("geometry(Point,4326)")).equal("text");
  });

  it("asks the target about plain type names only", () => {
    const types = [
      "integer",
      "numeric(12,-2)",
      "timestamp(3) with time zone",
      "text[]",
      "int); drop table x; --",
      '"A"',
      "s.t",
    ];
    expect(builtInCandidates(types.map((type) => column(type, "other")))).deep.equal(types.slice(0, 4));
  });
});
