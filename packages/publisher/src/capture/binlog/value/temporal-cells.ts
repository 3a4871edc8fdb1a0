import type { ByteReader } from "../event/byte-reader.js";
import type { CellReader } from "../event/rows-event.js";

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));
const four = (value: number): string => String(value).padStart(4, "0");

/** Bytes that a fraction of so many digits takes. */
const fractionBytes = (digits: number): number => (digits + 1) >> 1;

/** `.` and the digits of a fraction, which stands in pairs of digits. */
function fractionText(value: number, digits: number): string {
  if (digits === 0) return "";
  return `.${String(value)
    .padStart(fractionBytes(digits) * 2, "0")
    .slice(0, digits)}`;
}

function fractionOf(reader: ByteReader, digits: number): string {
  return digits === 0 ? "" : fractionText(reader.uintBE(fractionBytes(digits)), digits);
}

/** DATE, zero parts included. */
export const dateCell: CellReader = (reader) => {
  const value = reader.uint(3);
  return `${four(value >> 9)}-${two((value >> 5) & 15)}-${two(value & 31)}`;
};

/** YEAR. */
export const yearCell: CellReader = (reader) => {
  const value = reader.u8();
  return value === 0 ? "0000" : String(1900 + value);
};

/** DATETIME(digits), zero parts included. */
export function datetimeCell(digits: number): CellReader {
  return (reader) => {
    const value = reader.uintBE(5) - 0x80_0000_0000;
    const days = Math.floor(value / 0x2_0000);
    const time = value % 0x2_0000;
    const months = days >> 5;
    const date = `${four(Math.floor(months / 13))}-${two(months % 13)}-${two(days & 31)}`;
    return `${date} ${two(time >> 12)}:${two((time >> 6) & 63)}:${two(time & 63)}${fractionOf(reader, digits)}`;
  };
}

/** TIMESTAMP(digits) in UTC. All zero is the zero date, not the beginning of 1970. */
export function timestampCell(digits: number): CellReader {
  const zero = `0000-00-00 00:00:00${fractionText(0, digits)}`;
  return (reader) => {
    const seconds = reader.uintBE(4);
    const fraction = digits === 0 ? 0 : reader.uintBE(fractionBytes(digits));
    if (seconds === 0 && fraction === 0) return zero;
    const utc = new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
    return utc + fractionText(fraction, digits);
  };
}

/** TIME(digits): hours up to 838, signed. */
export function timeCell(digits: number): CellReader {
  const extra = fractionBytes(digits);
  const scale = 2 ** (8 * extra);
  const zero = 0x80_0000 * scale;
  return (reader) => {
    const signed = reader.uintBE(3 + extra) - zero;
    const value = Math.abs(signed);
    const time = Math.floor(value / scale);
    const text = `${two(time >> 12)}:${two((time >> 6) & 63)}:${two(time & 63)}`;
    return `${signed < 0 ? "-" : ""}${text}${fractionText(value % scale, digits)}`;
  };
}
