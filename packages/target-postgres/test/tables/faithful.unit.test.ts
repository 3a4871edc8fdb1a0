import type { ColumnKind, ColumnSchema } from "@lockstep/core";
import { expect } from "chai";
import { keepsText } from "../../src/tables/faithful.js";

type Source = readonly [type: string, kind: ColumnKind, rest?: Partial<ColumnSchema>];

describe("keepsText", () => {
  const keeps = ([type, kind, rest = {}]: Source, target: string, text: string): boolean => {
    const castType = target.replace(/\(.*?\)/, "").replace("character varying", "character varying");
    const column = { name: "c", type, kind, nullable: true, ...rest };
    return (
      keepsText(column, { type: target, castType: castType === "character" ? "bpchar" : castType })?.(text) ??
      true
    );
  };
  const numeric: Source = ["numeric", "numeric"];
  const text: Source = ["text", "text"];
  const moment: Source = ["timestamp without time zone", "timestamp"];

  for (const [source, target, kept, changed] of [
    [numeric, "numeric(12,2)", ["1", "1.50", "1.500", "-0.01", "NaN"], ["1.501", "-0.001"]],
    [["numeric(12,2)", "numeric", { precision: 12, scale: 2 }], "numeric(10,4)", ["1.25"], []],
    [["integer", "integer"], "numeric(12,0)", ["1"], []],
    [numeric, "numeric(5,-2)", ["1200", "0", "-300.00"], ["1250"]],
    [["double precision", "float"], "numeric(12,2)", ["1.5e+3", "25"], ["1e-07", "1.234"]],
    [numeric, "money", ["1.25", "$1.25"], ["1.255"]],
    [numeric, "double precision", ["0.1", "123456789012345"], ["1234567890123456.7"]],
    [["bigint", "integer"], "double precision", ["9007199254740000"], ["9007199254740993"]],
    [["double precision", "float"], "real", ["0.1", "16777216", "Infinity"], ["16777217", "0.123456789"]],
    [
      moment,
      "timestamp(3) without time zone",
      ["2026-01-02 03:04:05.6", "2026-01-02 03:04:05.123000"],
      ["2026-01-02 03:04:05.1234"],
    ],
    [moment, "timestamp with time zone", ["2026-01-02 03:04:05.123456"], []],
    [
      ["timestamp(0) with time zone", "timestamptz", { precision: 0 }],
      "timestamp(3) with time zone",
      ["2026-01-02 03:04:05+00"],
      [],
    ],
    [moment, "date", ["2026-01-02 00:00:00", "2026-01-02", "infinity"], ["2026-01-02 03:04:05"]],
    [
      ["timestamp with time zone", "timestamptz"],
      "date",
      ["2026-01-02 00:00:00+00"],
      ["2026-01-02 00:00:01+00"],
    ],
    [moment, "time without time zone", [], ["2026-01-02 03:04:05"]],
    [["time without time zone", "time"], "time(0) without time zone", ["03:04:05"], ["03:04:05.5"]],
    [text, "character varying(3)", ["abc", "ab ", "abcd", "😀😀 "], ["abc ", "😀😀😀 "]],
    [text, "character(5)", ["abc"], ["ab "]],
    [["character(5)", "text"], "character(8)", ["ab   "], []],
    [text, "name", ["a".repeat(63)], ["a".repeat(64), "ä".repeat(40)]],
    [text, "text", ["anything "], []],
  ] as const satisfies readonly (readonly [Source, string, readonly string[], readonly string[]])[]) {
    it(`${source[0]} in ${target}`, () => {
      for (const value of kept) expect(keeps(source, target, value), value).equal(true);
      for (const value of changed) expect(keeps(source, target, value), value).equal(false);
    });
  }
});
