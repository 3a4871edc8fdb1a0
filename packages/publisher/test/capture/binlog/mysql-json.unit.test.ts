import { expect } from "chai";
import { jsonText } from "../../../src/capture/binlog/value/mysql-json.js";

const read = (hex: string): string => jsonText(Buffer.from(hex.replaceAll(" ", ""), "hex"));

describe("MySQL's binary JSON", () => {
  const values: readonly (readonly [what: string, hex: string, text: string])[] = [
    ["an object", "00 0100 0e00 0b00 0100 0c 0c00 61 01 62", '{"a": "b"}'],
    ["an empty object", "00 0000 0400", "{}"],
    ["an array of inlined numbers", "02 0300 0d00 05 0100 05 feff 06 ffff", "[1, -2, 65535]"],
    ["literals", "02 0300 0d00 04 0000 04 0100 04 0200", "[null, true, false]"],
    ["a large array with a number that only it inlines", "03 01000000 0d000000 07 00000080", "[-2147483648]"],
    ["a number that stands elsewhere", "02 0100 0f00 0a 0700 ffffffffffffffff", "[18446744073709551615]"],
    ["a nested object", "00 0100 1600 0b00 0100 00 0c00 61 0000 0400", '{"a": {}}'],
    ["a number alone", "09 0000000000000080", "-9223372036854775808"],
    ["a double, with its point", "0b 000000000000f03f", "1.0"],
    ["a double with a fraction", "0b 9a9999999999b93f", "0.1"],
    ["a text that needs escapes", "0c 06 22 5c 0a 01 c3a9", '"\\"\\\\\\n\\u0001é"'],
    ["a long text", `0c 8801 ${"78".repeat(136)}`, `"${"x".repeat(136)}"`],
    ["a decimal", "0f f6 04 0402 8c22", "12.34"],
    ["a date", "0f 0a 08 000000000048b919", '"2026-03-04"'],
    ["a datetime", "0f 0c 08 83980d875148b919", '"2026-03-04 05:06:07.891011"'],
    ["a time", "0f 0b 08 3004fe335dffffff", '"-10:11:12.130000"'],
    ["bytes", "0f 0f 02 dead", '"base64:type15:3q0="'],
  ];
  for (const [what, hex, text] of values) {
    it(`prints ${what}`, () => expect(read(hex)).to.equal(text));
  }

  it("that is not known is refused", () => expect(() => read("0d 00")).to.throw("kind 13"));
});
