import type { CellReader } from "../event/rows-event.js";

/** Bytes that so many digits take. */
const bytesOf = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;
const digitsPerGroup = 9;

/** DECIMAL(precision, scale): groups of nine digits, big-endian, negative ones inverted, the sign's bit turned. */
export function decimalCell(precision: number, scale: number): CellReader {
  const whole = groups(precision - scale).toReversed();
  const fraction = groups(scale);
  const size = [...whole, ...fraction].reduce((sum, digits) => sum + bytesOf[digits]!, 0);
  return (reader) => {
    const bytes = Buffer.from(reader.bytes(size));
    const isNegative = (bytes[0]! & 0x80) === 0;
    if (isNegative) for (let i = 0; i < size; i++) bytes[i]! ^= 0xff;
    bytes[0]! ^= 0x80;
    let at = 0;
    const take = (digits: number): string => {
      const length = bytesOf[digits]!;
      const value = bytes.readUIntBE(at, length);
      at += length;
      return String(value).padStart(digits, "0");
    };
    const integer = whole.map(take).join("").replace(/^0+/, "") || "0";
    const decimals = fraction.map(take).join("");
    return `${isNegative ? "-" : ""}${integer}${scale > 0 ? `.${decimals}` : ""}`;
  };
}

/** Full groups, then what is left over. */
function groups(digits: number): number[] {
  const full = Array.from<number>({ length: Math.floor(digits / digitsPerGroup) }).fill(digitsPerGroup);
  const rest = digits % digitsPerGroup;
  return rest > 0 ? [...full, rest] : full;
}
