import { expect } from "chai";
import { convertText, type ColumnKind } from "../../src/index.js";

const pairs: readonly (readonly [ColumnKind, string, string])[] = [
  ["boolean", "true", "1"],
  ["boolean", "false", "0"],
  ["bytes", "\\x00ff", "00FF"],
  ["bytes", "\\x", ""],
  ["timestamptz", "2026-01-02 03:04:05+00", "2026-01-02 03:04:05"],
  ["timestamptz", "2026-01-02 03:04:05.12+00", "2026-01-02 03:04:05.12"],
  ["integer", "9223372036854775807", "9223372036854775807"],
  ["numeric", "10.00", "10.00"],
  ["uuid", "6ecd8c99-4036-403d-bf84-cf8400f67836", "6ecd8c99-4036-403d-bf84-cf8400f67836"],
  ["timestamptz", "infinity", "infinity"],
];

describe("canonical text", () => {
  for (const [kind, postgres, mysql] of pairs) {
    it(`${kind} ${postgres} is ${JSON.stringify(mysql)} on MySQL, and back`, () => {
      expect(convertText("postgres", "mysql", { kind }, postgres)).to.equal(mysql);
      expect(convertText("mysql", "postgres", { kind }, mysql)).to.equal(postgres);
    });
  }

  it("drops only trailing zeros of a fraction", () => {
    expect(convertText("mysql", "postgres", { kind: "timestamp" }, "2026-01-02 03:04:05.100200")).to.equal(
      "2026-01-02 03:04:05.1002",
    );
    expect(convertText("mysql", "postgres", { kind: "timestamp" }, "2026-01-02 03:04:05.000000")).to.equal(
      "2026-01-02 03:04:05",
    );
    expect(convertText("mysql", "postgres", { kind: "timestamp" }, "2026-01-02 03:04:50")).to.equal(
      "2026-01-02 03:04:50",
    );
  });

  it("leaves a boolean that is neither 0 nor 1 for the target to refuse", () => {
    expect(convertText("mysql", "postgres", { kind: "boolean" }, "2")).to.equal("2");
  });

  it("changes nothing inside one engine", () => {
    expect(convertText("mysql", "mysql", { kind: "bytes" }, "00FF")).to.equal("00FF");
  });
});
