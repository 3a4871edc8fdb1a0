import { expect } from "chai";
import { canonicalText } from "../../src/digest/canonical-text.js";
import { madeForm } from "../../src/mapped/made-form.js";

const numberText = (text: string, type: string) =>
  canonicalText("postgres", { column: { kind: "numeric" }, form: "number", type }, text);
const floatText = (text: string) =>
  canonicalText("postgres", { column: { kind: "float" }, form: "float", type: "double" }, text);

describe("the canonical text of a value", () => {
  it("is a number as the target's column rounds it, without zeros that say nothing", () => {
    const cases = [
      ["7", "bigint", "7"],
      ["-100", "bigint", "-100"],
      ["007.500", "numeric", "7.5"],
      ["100.00", "numeric", "100"],
      ["1.239", "numeric(12,2)", "1.24"],
      ["-1.235", "decimal(12,2)", "-1.24"],
      ["9.995", "numeric(12,2)", "10"],
      ["-0.001", "numeric(12,2)", "0"],
      ["0.0000000000000000000000000001", "decimal(65,30)", "0.0000000000000000000000000001"],
    ] as const;
    for (const [text, type, expected] of cases) expect(numberText(text, type), text).to.equal(expected);
  });

  it("is a float's digits and exponent, as the databases write them", () => {
    const cases = [
      ["0.1", "0.1e0"],
      ["-1.5e+30", "-0.15e31"],
      ["123456789012345680000", "0.12345678901234568e21"],
      ["1e-7", "0.1e-6"],
      ["0.0012", "0.12e-2"],
      ["-0", "0"],
      ["Infinity", "Infinity"],
    ] as const;
    for (const [text, expected] of cases) expect(floatText(text), text).to.equal(expected);
  });

  it("is a uuid as PostgreSQL prints it, however it was written", () => {
    const made = { column: { kind: "uuid" }, form: "uuid", type: "uuid" } as const;
    const expected = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    for (const text of ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"])
      expect(canonicalText("postgres", made, text)).to.equal(expected);
  });

  it("isn't known of a document that the target writes anew", () => {
    const jsonb = { engine: "postgres", type: "jsonb" } as const;
    expect(madeForm(jsonb, jsonb)).to.equal(undefined);
    expect(madeForm(jsonb, { engine: "mysql", type: "longtext" })).to.equal("text");
    expect(
      madeForm({ engine: "postgres", type: "boolean" }, { engine: "postgres", type: "boolean" }),
    ).to.equal("number");
  });
});
