import { ByteReader } from "./byte-reader.js";
import { columnType, type Flavour } from "./column-type.js";
import { readMetadata } from "./table-metadata.js";

/** A column as the log describes it with each statement. */
export interface LoggedColumn {
  readonly name: string;
  readonly type: number;
  /** Length, precision or whatever the type keeps there. */
  readonly meta: number;
  readonly nullable: boolean;
  readonly unsigned: boolean;
  /** Number of the collation, where the type has one. 63: bytes. */
  readonly collation: number;
  /** Names of an ENUM or SET, in the charset of its collation. */
  readonly members: readonly Buffer[];
  /** Number of the kind of a spatial column. */
  readonly geometry: number;
}

/** A table as it was when a statement changed its rows. */
export interface TableMap {
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly LoggedColumn[];
  /** Indexes of the primary key's columns, in key order. */
  readonly key: readonly number[];
  /** False when the server logs tables without names: `binlog_row_metadata` is not FULL. */
  readonly isFull: boolean;
}

/** The parts of a TABLE_MAP event that say which table it is. */
export interface TableMapHead {
  readonly id: number;
  readonly namespace: string;
  readonly name: string;
  /** The rest: equal bytes mean an equal table. */
  readonly rest: Buffer;
}

/** Reads a TABLE_MAP event as far as the table's name. */
export function tableMapHead(body: Buffer): TableMapHead {
  const reader = new ByteReader(body);
  const id = reader.u48();
  reader.skip(2);
  const namespace = reader.text(reader.u8());
  reader.skip(1);
  const name = reader.text(reader.u8());
  reader.skip(1);
  return { id, namespace, name, rest: body.subarray(reader.at) };
}

/** Reads the rest of it. */
export function tableMapOf({ namespace, name, rest }: TableMapHead, flavour: Flavour): TableMap {
  const reader = new ByteReader(rest);
  const count = reader.packed();
  const types = [...reader.bytes(count)];
  const metaReader = new ByteReader(reader.bytes(reader.packed()));
  const metas = types.map((type) => metaOf(type, metaReader));
  const nullable = reader.bytes((count + 7) >> 3);
  const real = types.map((type, i) => realType(type, metas[i]!));
  const metadata = readMetadata(reader, real, flavour);
  const columns = real.map((type, i) => ({
    name: metadata.names[i] ?? "",
    type,
    meta: type === types[i] ? metas[i]! : metas[i]! & 0xff,
    nullable: (nullable[i >> 3]! & (1 << (i & 7))) !== 0,
    unsigned: metadata.unsigned.has(i),
    collation: metadata.collations.get(i) ?? binaryCollation,
    members: metadata.members.get(i) ?? [],
    geometry: metadata.geometries.get(i) ?? 0,
  }));
  return { namespace, name, columns, key: metadata.key, isFull: metadata.names.length === count };
}

const binaryCollation = 63;

function metaOf(type: number, reader: ByteReader): number {
  switch (type) {
    case columnType.float:
    case columnType.double:
    case columnType.blob:
    case columnType.blobCompressed:
    case columnType.json:
    case columnType.geometry:
    case columnType.timestamp2:
    case columnType.datetime2:
    case columnType.time2:
      return reader.u8();
    case columnType.varchar:
    case columnType.varcharCompressed:
    case columnType.bit:
      return reader.u16();
    case columnType.newDecimal:
    case columnType.enum:
    case columnType.set:
    case columnType.string:
    case columnType.varString:
      return reader.uintBE(2);
    default:
      return 0;
  }
}

/** ENUM and SET say STRING and hide behind its length. */
function realType(type: number, meta: number): number {
  if (type !== columnType.string) return type;
  const hidden = meta >> 8;
  return hidden === columnType.enum || hidden === columnType.set ? hidden : type;
}

/** Bytes a CHAR or BINARY column takes at most: two bits of the length are hidden in the type. */
export function stringBytes(meta: number): number {
  return (((meta >> 4) & 0x300) ^ 0x300) + (meta & 0xff);
}
