import { expect } from "chai";
import { mysqlColumnKind } from "../../src/mysql/column-kind.js";
import { sizeOf } from "../../src/mysql/table-shape.js";

describe("kinds of MySQL columns", () => {
  it("knows the base types", () => {
    const kinds = [
      "tinyint",
      "smallint",
      "mediumint",
      "int",
      "bigint",
      "year",
      "decimal",
      "float",
      "double",
      "char",
    ]
      .concat([
        "varchar",
        "longtext",
        "set",
        "enum",
        "binary",
        "longblob",
        "bit",
        "uuid",
        "json",
        "date",
        "time",
      ])
      .concat(["datetime", "timestamp", "point", "inet6", "toString"])
      .map((base) => mysqlColumnKind(base, base, false));
    expect(kinds.join(" ")).to.equal(
      "integer integer integer integer integer integer numeric float float text " +
        "text text text enum bytes bytes bits uuid json date time timestamp timestamptz bytes other other",
    );
  });

  it("calls tinyint(1) a boolean and a longtext with its JSON check json", () => {
    expect(mysqlColumnKind("tinyint", "tinyint(1)", false)).to.equal("boolean");
    expect(mysqlColumnKind("tinyint", "tinyint(4)", false)).to.equal("integer");
    expect(mysqlColumnKind("longtext", "longtext", true)).to.equal("json");
  });

  it("reads sizes from the catalog", () => {
    expect(sizeOf("varchar", { length: "40" })).to.deep.equal({ length: 40 });
    expect(sizeOf("text", { length: 65535 })).to.deep.equal({});
    expect(sizeOf("decimal", { digits: 12, scale: 2 })).to.deep.equal({ precision: 12, scale: 2 });
    expect(sizeOf("bit", { digits: 5 })).to.deep.equal({ length: 5 });
    expect(sizeOf("datetime", { fraction: 6 })).to.deep.equal({ precision: 6 });
  });
});
