import type { ColumnType } from "../column-type.js";
import { asIs, asText, number, truth, wideDecimal } from "../forms.js";
import { quoted } from "./sql.js";

const notNumbers = quoted("NaN", "Infinity", "-Infinity");

/** Numbers of PostgreSQL. */
export const numbers: readonly ColumnType[] = [
  { type: "boolean", declaredAs: ["boolean", "bool"], values: ["true", "false"], across: truth },
  { type: "smallint", declaredAs: ["smallint", "int2"], values: ["0", "32767", "-32768"], across: asIs },
  {
    type: "integer",
    declaredAs: ["integer", "int", "int4"],
    values: ["0", "2147483647", "-2147483648"],
    across: asIs,
  },
  {
    type: "bigint",
    declaredAs: ["bigint", "int8"],
    values: ["0", "9007199254740993", "9223372036854775807", "-9223372036854775808"],
    across: asIs,
  },
  {
    type: "numeric",
    declaredAs: ["numeric", "decimal"],
    values: [
      "0",
      "-0.000",
      "1.50",
      "9007199254740993.1",
      "12345678901234567890123456789012345.123456789012345678901234567890",
      `'${"9".repeat(36)}'`,
      `'0.${"0".repeat(30)}1'`,
      `repeat('9', 2000)::numeric`,
      "1e-2000",
      ...notNumbers,
    ],
    across: wideDecimal,
  },
  {
    type: "numeric(12,2)",
    declaredAs: ["numeric", "decimal"],
    values: ["0", "-0.01", "9999999999.99", "-9999999999.99", "'NaN'"],
    across: asIs,
  },
  {
    type: "numeric(65,30)",
    declaredAs: ["numeric", "decimal"],
    values: [`'${"9".repeat(35)}.${"9".repeat(30)}'`, `'-${"9".repeat(35)}.${"9".repeat(30)}'`, "0"],
    across: asIs,
  },
  {
    type: "numeric(100,50)",
    declaredAs: ["numeric", "decimal"],
    values: [`'${"9".repeat(50)}.${"9".repeat(50)}'`, "1.5", "0", `'0.${"0".repeat(49)}1'`],
    across: wideDecimal,
  },
  {
    type: "real",
    declaredAs: ["real", "float4"],
    values: [
      "0",
      "'-0'",
      "0.1",
      "16777216",
      "'1e15'",
      "'3.4028235e38'",
      "'1e-45'",
      "'1.1754944e-38'",
      ...notNumbers,
    ],
    across: number,
  },
  {
    type: "double precision",
    declaredAs: ["double precision", "float", "float8"],
    values: [
      "0",
      "'-0'",
      "0.1::float8 + 0.2",
      "'9007199254740993'",
      "'1e15'",
      "'123456789012345680'",
      "'1.7976931348623157e308'",
      "'-1.7976931348623157e308'",
      "'2.2250738585072014e-308'",
      "'5e-324'",
      ...notNumbers,
    ],
    across: number,
  },
  {
    type: "money",
    values: quoted("0", "1234.5", "-0.01", "92233720368547758.07", "-92233720368547758.08").map(
      (value) => `${value}::numeric::money`,
    ),
    across: asText,
  },
  { type: "oid", declaredAs: [], values: ["0", "4294967295"], across: asText },
];
