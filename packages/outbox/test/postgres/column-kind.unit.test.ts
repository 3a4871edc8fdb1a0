import { expect } from "chai";
import { postgresColumnKind, postgresTypeSize } from "../../src/postgres/column-kind.js";

describe("kinds of PostgreSQL columns", () => {
  it("knows the base types", () => {
    const kinds = [
      "bool",
      "int2",
      "int4",
      "int8",
      "numeric",
      "float4",
      "float8",
      "text",
      "varchar",
      "bpchar",
      "citext",
    ]
      .concat(["bytea", "bit", "varbit", "uuid", "json", "jsonb", "date", "time", "timestamp", "timestamptz"])
      .map((base) => postgresColumnKind(base, false));
    expect(kinds.join(" ")).to.equal(
      "boolean integer integer integer numeric float float text text text text bytes bits bits uuid json json date time timestamp timestamptz",
    );
  });

  it("calls an enum an enum, and everything without a conversion other", () => {
    expect(postgresColumnKind("mood", true)).to.equal("enum");
    for (const base of ["_int4", "interval", "inet", "money", "timetz", "", "toString"]) {
      expect(postgresColumnKind(base, false), base).to.equal("other");
    }
  });

  it("reads sizes from the type modifier", () => {
    expect(postgresTypeSize("varchar", 44)).to.deep.equal({ length: 40 });
    expect(postgresTypeSize("varchar", -1)).to.deep.equal({});
    expect(postgresTypeSize("bit", 5)).to.deep.equal({ length: 5 });
    expect(postgresTypeSize("numeric", ((12 << 16) | 2) + 4)).to.deep.equal({ precision: 12, scale: 2 });
    expect(postgresTypeSize("numeric", ((2 << 16) | (-3 & 0x7ff)) + 4)).to.deep.equal({
      precision: 2,
      scale: -3,
    });
    expect(postgresTypeSize("numeric", -1)).to.deep.equal({});
    expect(postgresTypeSize("timestamptz", 3)).to.deep.equal({ precision: 3 });
    expect(postgresTypeSize("timestamptz", -1)).to.deep.equal({ precision: 6 });
    expect(postgresTypeSize("text", -1)).to.deep.equal({});
  });
});
