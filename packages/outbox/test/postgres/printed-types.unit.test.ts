import { expect } from "chai";
import { printsTheSame, settingsOf } from "../../src/postgres/trigger/printed-types.js";

describe("the settings that the texts of a table's types depend on", () => {
  it("are none, those of its types, or unknown", () => {
    expect(settingsOf(["int4", "text", "enum", "jsonb"])).to.deep.equal([]);
    expect(settingsOf(["int8", "timestamptz"])).to.deep.equal(["DateStyle", "TimeZone"]);
    expect(settingsOf(["date", "bytea", "point", "interval", "money"])).to.deep.equal([
      "DateStyle",
      "IntervalStyle",
      "extra_float_digits",
      "bytea_output",
      "lc_monetary",
    ]);
    for (const type of ["", "regclass", "record", "constructor"]) {
      expect(settingsOf(["int4", type]), type).to.equal(undefined);
    }
  });

  it("are asked for in conditions whose every name is qualified", () => {
    const all = printsTheSame(settingsOf(["timestamptz", "float8"])!).join(" and ");
    expect(all).to.match(
      /^pg_catalog\.starts_with\(pg_catalog\.current_setting\('DateStyle'\), 'ISO'\) and /,
    );
    expect(all.replaceAll(/operator\(pg_catalog\.=\)|'[^']*'/g, "")).to.not.match(/[=<>|]/);
  });
});
