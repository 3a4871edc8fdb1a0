import type { ColumnKind, SurveyedTable } from "@lockstep/core";
import { expect } from "chai";
import { judgeTable, type WatchedSettings } from "../../src/incremental/judge-table.js";

const surveyed = (columns: Record<string, [ColumnKind, string]>, key = ["id"]): SurveyedTable => ({
  schema: {
    engine: "postgres",
    namespace: "public",
    name: "invoice",
    columns: Object.entries(columns).map(([name, [kind, type]]) => ({ name, kind, type, nullable: false })),
    key,
    fingerprint: "f",
  },
  indexed: ["id", "at", "n", "day", "note"],
  parents: [],
});
const table = surveyed({
  id: ["integer", "integer"],
  at: ["timestamptz", "timestamp with time zone"],
  n: ["integer", "bigint"],
  day: ["date", "date"],
  note: ["text", "text"],
  bare: ["timestamp", "timestamp without time zone"],
});
const refused = (settings: WatchedSettings, of = table): string => {
  try {
    return judgeTable(of, settings);
  } catch (error) {
    return String(error);
  }
};

describe("a change column", () => {
  it("is a time, or a number that may stand for a time", () => {
    expect(judgeTable(table, { column: "at" })).to.equal("timestamp");
    expect(judgeTable(table, { column: "n" })).to.equal("number");
    expect(judgeTable(table, { column: "n", kind: "epoch-ms" })).to.equal("epoch-ms");
  });

  it("is refused when it is of another type than it is said to be, or of none that tells", () => {
    expect(refused({ column: "at", kind: "number" })).to.match(/public\.invoice\.at is timestamp .* number/);
    expect(refused({ column: "n", kind: "timestamp" })).to.match(/can't be read as timestamp/);
    for (const column of ["day", "note"]) expect(refused({ column })).to.match(/INCREMENTAL_COLUMN/);
  });

  it("isn't a row's own version, unless it is said to count for all rows", () => {
    for (const name of ["version", "lock_version", "rowVersion", "revision"]) {
      const versioned = {
        ...surveyed({ id: ["integer", "integer"], [name]: ["integer", "integer"] }),
        indexed: [name],
      };
      expect(refused({ column: name }, versioned)).to.match(/@VersionColumn.*INCREMENTAL_COLUMN/s);
      expect(judgeTable(versioned, { column: name, kind: "number" })).to.equal("number");
    }
    expect(judgeTable(table, { column: "n" })).to.equal("number");
  });

  it("is refused when it isn't there, with the statements that make one", () => {
    expect(refused({ column: "updated" })).to.match(
      /has no column updated.*\nALTER TABLE "public"\."invoice"/,
    );
    expect(refused({ column: "at", softDelete: "gone" })).to.match(/has no column gone/);
  });

  it("is refused without an index, with the statement that makes it", () => {
    expect(refused({ column: "bare" })).to.match(
      /CREATE INDEX CONCURRENTLY ON "public"\."invoice" \("bare", "id"\)/,
    );
  });

  it("is no use to a table without a key", () => {
    expect(refused({ column: "at" }, surveyed({ at: ["timestamptz", "timestamptz"] }, []))).to.match(
      /TABLE_WITHOUT_PRIMARY_KEY/,
    );
  });
});
