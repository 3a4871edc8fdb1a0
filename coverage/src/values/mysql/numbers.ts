import type { ColumnType } from "../column-type.js";
import { asIs, bits, number, single, truth } from "../forms.js";

const whole = (type: string, declaredAs: readonly string[], ...values: readonly string[]): ColumnType => ({
  type,
  declaredAs,
  values: ["0", ...values],
  across: asIs,
});

const nines = (digits: number, scale: number): string =>
  `${"9".repeat(digits - scale)}${scale === 0 ? "" : `.${"9".repeat(scale)}`}`;

const decimals = ["decimal", "dec", "numeric", "fixed"];

/** Numbers of MySQL and MariaDB. */
export const numbers: readonly ColumnType[] = [
  {
    type: "tinyint(1)",
    declaredAs: ["tinyint", "bool", "boolean"],
    values: ["0", "1", "2", "-1"],
    across: truth,
  },
  whole("tinyint", ["tinyint"], "127", "-128"),
  whole("tinyint unsigned", ["tinyint"], "255"),
  whole("smallint", ["smallint"], "32767", "-32768"),
  whole("smallint unsigned", ["smallint"], "65535"),
  whole("mediumint", ["mediumint"], "8388607", "-8388608"),
  whole("mediumint unsigned", ["mediumint"], "16777215"),
  whole("int", ["int", "integer"], "2147483647", "-2147483648"),
  whole("int unsigned", ["int", "integer"], "4294967295"),
  whole("bigint", ["bigint"], "9007199254740993", "9223372036854775807", "-9223372036854775808"),
  whole("bigint unsigned", ["bigint"], "9223372036854775808", "18446744073709551615"),
  // Printed with zeros in front; the number is the same.
  { type: "int(8) zerofill", declaredAs: ["int"], values: ["0", "42", "4294967295"], across: number },
  whole("decimal(12,2)", decimals, "0.00", "-0.01", nines(12, 2), `-${nines(12, 2)}`),
  whole("decimal(65,0)", decimals, nines(65, 0), `-${nines(65, 0)}`),
  whole("decimal(65,30)", decimals, nines(65, 30), `-${nines(65, 30)}`, `0.${"0".repeat(29)}1`),
  whole("decimal(65,30) unsigned", decimals, nines(65, 30)),
  {
    type: "float",
    values: [
      "0",
      "-0e0",
      "0.1",
      "16777217",
      "16777216",
      "3.4028234e38",
      "-3.4028234e38",
      "1.17549435e-38",
      "1e-45",
    ],
    across: single,
  },
  { type: "float(10,3)", declaredAs: ["float"], values: ["1234567.125", "-0.5"], across: single },
  {
    type: "double",
    declaredAs: ["double", "double precision", "real"],
    values: [
      "0",
      "-0e0",
      "0.1e0 + 0.2e0",
      "9007199254740993",
      "1e15",
      "123456789012345680",
      "1.7976931348623157e308",
      "-1.7976931348623157e308",
      "2.2250738585072014e-308",
      "5e-324",
    ],
    across: number,
  },
  { type: "double(10,3)", declaredAs: ["double"], values: ["1234567.125", "-0.5"], across: number },
  { type: "bit(1)", declaredAs: ["bit"], values: ["b'0'", "b'1'"], across: bits },
  { type: "bit(10)", declaredAs: ["bit"], values: ["b'0'", "b'101'", "b'1111111111'"], across: bits },
  { type: "bit(64)", declaredAs: ["bit"], values: ["0", "1", "18446744073709551615"], across: bits },
];
