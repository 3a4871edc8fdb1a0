import { LockstepError } from "@lockstep/core";
import { ByteReader } from "../event/byte-reader.js";
import { columnType } from "../event/column-type.js";
import { decimalCell } from "./decimal-cell.js";
import { doubleText } from "./double-text.js";
import { jsonDate, jsonDatetime, jsonTime } from "./json-times.js";

/** Kinds of values in MySQL's binary JSON. */
const kind = {
  smallObject: 0x00,
  largeObject: 0x01,
  smallArray: 0x02,
  largeArray: 0x03,
  literal: 0x04,
  int16: 0x05,
  uint16: 0x06,
  int32: 0x07,
  uint32: 0x08,
  int64: 0x09,
  uint64: 0x0a,
  double: 0x0b,
  string: 0x0c,
  opaque: 0x0f,
} as const;

const literals: Readonly<Record<number, string>> = { 0: "null", 1: "true", 2: "false" };

/** MySQL's own JSON type: the text that the server prints for its binary form. @throws LockstepError CAPTURE_LOG_UNREADABLE. */
export function jsonText(bytes: Buffer): string {
  // A column that was never given a value by a statement that ignores errors holds no bytes at all.
  return bytes.length === 0 ? "null" : valueText(bytes[0]!, bytes.subarray(1));
}

/** Offsets inside a value count from its first byte. */
function valueText(type: number, bytes: Buffer): string {
  switch (type) {
    case kind.smallObject:
    case kind.largeObject:
      return objectText(bytes, type === kind.largeObject);
    case kind.smallArray:
    case kind.largeArray:
      return arrayText(bytes, type === kind.largeArray);
    case kind.literal:
      return literals[bytes[0]!] ?? unknown(type);
    case kind.int16:
      return String(bytes.readInt16LE());
    case kind.uint16:
      return String(bytes.readUInt16LE());
    case kind.int32:
      return String(bytes.readInt32LE());
    case kind.uint32:
      return String(bytes.readUInt32LE());
    case kind.int64:
      return String(bytes.readBigInt64LE());
    case kind.uint64:
      return String(bytes.readBigUInt64LE());
    case kind.double:
      return jsonDouble(bytes.readDoubleLE());
    case kind.string:
      return JSON.stringify(lengthPrefixed(bytes).toString("utf8"));
    case kind.opaque:
      return opaqueText(bytes);
    default:
      return unknown(type);
  }
}

/** A DOUBLE in JSON keeps its point, so that it is read as a double again. */
function jsonDouble(value: number): string {
  const text = doubleText(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function objectText(bytes: Buffer, isLarge: boolean): string {
  const width = isLarge ? 4 : 2;
  const count = bytes.readUIntLE(0, width);
  const keys = 2 * width;
  const values = keys + count * (width + 2);
  const members = Array.from({ length: count }, (_, i) => {
    const entry = keys + i * (width + 2);
    const at = bytes.readUIntLE(entry, width);
    const name = bytes.toString("utf8", at, at + bytes.readUInt16LE(entry + width));
    return `${JSON.stringify(name)}: ${entryText(bytes, values + i * (width + 1), isLarge)}`;
  });
  return `{${members.join(", ")}}`;
}

function arrayText(bytes: Buffer, isLarge: boolean): string {
  const width = isLarge ? 4 : 2;
  const count = bytes.readUIntLE(0, width);
  const entries = Array.from({ length: count }, (_, i) =>
    entryText(bytes, 2 * width + i * (width + 1), isLarge),
  );
  return `[${entries.join(", ")}]`;
}

/** A value's entry: its kind, then the value itself where it fits, else where it stands. */
function entryText(bytes: Buffer, at: number, isLarge: boolean): string {
  const type = bytes[at]!;
  const isInlined =
    type === kind.literal ||
    type === kind.int16 ||
    type === kind.uint16 ||
    (isLarge && (type === kind.int32 || type === kind.uint32));
  const from = isInlined ? at + 1 : bytes.readUIntLE(at + 1, isLarge ? 4 : 2);
  return valueText(type, bytes.subarray(from));
}

/** Length in groups of seven bits, then so many bytes. */
function lengthPrefixed(bytes: Buffer): Buffer {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    length += (bytes[i]! & 0x7f) * 2 ** (7 * i);
    if ((bytes[i]! & 0x80) === 0) return bytes.subarray(i + 1, i + 1 + length);
  }
  return unknown(kind.string);
}

/** Values of SQL types that JSON hasn't. */
function opaqueText(bytes: Buffer): string {
  const type = bytes[0]!;
  const data = lengthPrefixed(bytes.subarray(1));
  switch (type) {
    case columnType.newDecimal:
      return decimalCell(data[0]!, data[1]!)(new ByteReader(data, 2));
    case columnType.date:
      return JSON.stringify(jsonDate(data.readBigInt64LE()));
    case columnType.datetimeOld:
    case columnType.timestampOld:
      return JSON.stringify(jsonDatetime(data.readBigInt64LE()));
    case columnType.timeOld:
      return JSON.stringify(jsonTime(data.readBigInt64LE()));
    default:
      return JSON.stringify(`base64:type${type}:${data.toString("base64")}`);
  }
}

function unknown(type: number): never {
  throw new LockstepError("CAPTURE_LOG_UNREADABLE", `a JSON value of kind ${type} is not known`);
}
