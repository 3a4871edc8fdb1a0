import { type ColumnSchema, LockstepError } from "@lockstep/core";
import { columnType } from "../event/column-type.js";
import type { CellReader } from "../event/rows-event.js";
import { type LoggedColumn, stringBytes } from "../event/table-map.js";
import { inet4Text, inet6Text, uuidText } from "./address-text.js";
import type { Charsets, TextDecoding } from "./charsets.js";
import { decimalCell } from "./decimal-cell.js";
import { doubleText, fixedText } from "./double-text.js";
import { jsonText } from "./mysql-json.js";
import { dateCell, datetimeCell, timeCell, timestampCell, yearCell } from "./temporal-cells.js";

const bytesCollation = 63;

/**
 * How a column's cells are read: as exactly the text that the server prints (`cellOf` of the outbox), whatever the log's own form is.
 * `declared` adds what the log doesn't say: zerofill, fixed decimals, MariaDB's types that are bytes in the log.
 * @throws LockstepError COLUMN_TYPE_UNSUPPORTED.
 */
export async function cellReaderOf(
  column: LoggedColumn,
  declared: Pick<ColumnSchema, "type" | "kind">,
  charsets: Charsets,
): Promise<CellReader> {
  const { type, meta } = column;
  switch (type) {
    case columnType.tiny:
      return filled(integerCell(1, column.unsigned), declared.type);
    case columnType.short:
      return filled(integerCell(2, column.unsigned), declared.type);
    case columnType.int24:
      return filled(integerCell(3, column.unsigned), declared.type);
    case columnType.long:
      return filled(integerCell(4, column.unsigned), declared.type);
    case columnType.longlong:
      return filled(bigintCell(column.unsigned), declared.type);
    case columnType.newDecimal:
      return filled(decimalCell(meta >> 8, meta & 0xff), declared.type);
    case columnType.float:
      return (reader) => {
        reader.skip(4);
        return doubleText(reader.buffer.readFloatLE(reader.at - 4));
      };
    case columnType.double:
      return doubleCell(declared.type);
    case columnType.year:
      return yearCell;
    case columnType.date:
    case columnType.newDate:
      return dateCell;
    case columnType.datetime2:
      return datetimeCell(meta);
    case columnType.timestamp2:
      return timestampCell(meta);
    case columnType.time2:
      return timeCell(meta);
    case columnType.bit:
      return bitCell(meta);
    case columnType.enum:
      return enumCell(column, await decodingOf(column, charsets));
    case columnType.set:
      return setCell(column, await decodingOf(column, charsets));
    case columnType.varchar:
    case columnType.varString:
      return stringCell(meta, await textOf(column, charsets));
    case columnType.string:
      return fixedStringCell(column, declared, charsets);
    case columnType.blob:
      return blobCell(meta, await textOf(column, charsets));
    case columnType.geometry:
      return blobCell(meta, hexText);
    case columnType.json:
      return blobCell(meta, jsonText);
    default:
      throw new LockstepError(
        "COLUMN_TYPE_UNSUPPORTED",
        `the column ${column.name} (${declared.type}) can't be read from the log: its stored form (${type}) is not known`,
      );
  }
}

function integerCell(bytes: number, unsigned: boolean): CellReader {
  return (reader) => {
    reader.at += bytes;
    const at = reader.at - bytes;
    return String(unsigned ? reader.buffer.readUIntLE(at, bytes) : reader.buffer.readIntLE(at, bytes));
  };
}

function bigintCell(unsigned: boolean): CellReader {
  return (reader) => {
    reader.at += 8;
    const at = reader.at - 8;
    return String(unsigned ? reader.buffer.readBigUInt64LE(at) : reader.buffer.readBigInt64LE(at));
  };
}

/** ZEROFILL prints as many digits as the type is declared with. */
function filled(read: CellReader, declared: string): CellReader {
  const form = /\((\d+)(?:,(\d+))?\).*zerofill/i.exec(declared);
  if (!form) return read;
  const width = Number(form[1]) + (Number(form[2] ?? 0) > 0 ? 1 : 0);
  return (reader) => read(reader).padStart(width, "0");
}

function doubleCell(declared: string): CellReader {
  const decimals = /^double\(\d+,(\d+)\)/i.exec(declared)?.[1];
  const print = decimals === undefined ? doubleText : (value: number) => fixedText(value, Number(decimals));
  const width =
    /^double\((\d+),\d+\).*zerofill/i.exec(declared)?.[1] ?? (/^double.*zerofill/i.test(declared) ? 22 : 0);
  return (reader) => {
    reader.skip(8);
    return print(reader.buffer.readDoubleLE(reader.at - 8)).padStart(Number(width), "0");
  };
}

function bitCell(meta: number): CellReader {
  const bits = (meta >> 8) * 8 + (meta & 0xff);
  const bytes = (bits + 7) >> 3;
  return (reader) =>
    BigInt(`0x${reader.bytes(bytes).toString("hex")}`)
      .toString(2)
      .padStart(bits, "0");
}

function enumCell({ meta, members }: LoggedColumn, decode: TextDecoding): CellReader {
  const names = members.map(decode);
  return (reader) => {
    const index = reader.uint(meta);
    // 0 is the empty string that a wrong value became.
    return index === 0 ? "" : names[index - 1]!;
  };
}

function setCell({ meta, members }: LoggedColumn, decode: TextDecoding): CellReader {
  const names = members.map(decode);
  return (reader) => {
    const bytes = Buffer.alloc(8);
    reader.bytes(meta).copy(bytes);
    const chosen = bytes.readBigUInt64LE();
    return names.filter((_, i) => ((chosen >> BigInt(i)) & 1n) === 1n).join(",");
  };
}

const hexText: TextDecoding = (bytes) => bytes.toString("hex").toUpperCase();

function textOf(column: LoggedColumn, charsets: Charsets): Promise<TextDecoding> {
  return column.collation === bytesCollation ? Promise.resolve(hexText) : decodingOf(column, charsets);
}

async function decodingOf({ name, collation }: LoggedColumn, charsets: Charsets): Promise<TextDecoding> {
  const charset = charsets.of(collation);
  if (charset) return charsets.decoding(charset);
  if (collation === bytesCollation) return (bytes) => bytes.toString("latin1");
  throw new LockstepError(
    "COLUMN_TYPE_UNSUPPORTED",
    `the column ${name} has the collation ${collation}, which the server doesn't list`,
  );
}

function stringCell(maxBytes: number, decode: TextDecoding): CellReader {
  const lengthBytes = maxBytes > 255 ? 2 : 1;
  return (reader) => decode(reader.bytes(reader.uint(lengthBytes)));
}

function blobCell(lengthBytes: number, decode: TextDecoding): CellReader {
  return (reader) => decode(reader.bytes(reader.uint(lengthBytes)));
}

/** CHAR and BINARY, and what MariaDB keeps in them. The log leaves out the padding: spaces, which don't count, or zeros, which do. */
async function fixedStringCell(
  column: LoggedColumn,
  declared: Pick<ColumnSchema, "type">,
  charsets: Charsets,
): Promise<CellReader> {
  const size = stringBytes(column.meta);
  if (column.collation !== bytesCollation) {
    const decode = await decodingOf(column, charsets);
    return stringCell(size, (bytes) => decode(bytes).replace(/ +$/, ""));
  }
  const print =
    { uuid: uuidText, inet6: inet6Text, inet4: inet4Text }[declared.type.toLowerCase()] ?? hexText;
  return stringCell(size, (bytes) =>
    print(bytes.length === size ? bytes : Buffer.concat([bytes, Buffer.alloc(size - bytes.length)])),
  );
}
