import type { ByteReader } from "./byte-reader.js";
import { ByteReader as Reader } from "./byte-reader.js";
import { columnType, type Flavour, hasCharset, hasSign } from "./column-type.js";

/** What `binlog_row_metadata = FULL` adds to a TABLE_MAP event, by column. */
export interface TableMetadata {
  readonly names: readonly string[];
  readonly unsigned: ReadonlySet<number>;
  readonly collations: ReadonlyMap<number, number>;
  readonly members: ReadonlyMap<number, readonly Buffer[]>;
  readonly geometries: ReadonlyMap<number, number>;
  readonly key: readonly number[];
}

const field = {
  signs: 1,
  defaultCharset: 2,
  columnCharset: 3,
  names: 4,
  setMembers: 5,
  enumMembers: 6,
  geometry: 7,
  simpleKey: 8,
  keyWithPrefix: 9,
  enumDefaultCharset: 10,
  enumColumnCharset: 11,
} as const;

/** Reads the fields up to the end of the event; unknown ones are passed over. `types` are the columns' real types. */
export function readMetadata(reader: ByteReader, types: readonly number[], flavour: Flavour): TableMetadata {
  const indexesOf = (wanted: (type: number) => boolean): number[] =>
    types.flatMap((type, i) => (wanted(type) ? [i] : []));
  const characters = indexesOf((type) => hasCharset(type, flavour));
  const enums = indexesOf((type) => type === columnType.enum || type === columnType.set);
  const metadata = {
    names: [] as string[],
    unsigned: new Set<number>(),
    collations: new Map<number, number>(),
    members: new Map<number, readonly Buffer[]>(),
    geometries: new Map<number, number>(),
    key: [] as number[],
  };
  while (reader.left > 0) {
    const kind = reader.u8();
    const value = new Reader(reader.bytes(reader.packed()));
    switch (kind) {
      case field.signs:
        indexesOf((type) => hasSign(type, flavour)).forEach((column, i) => {
          if ((value.buffer[i >> 3]! & (0x80 >> (i & 7))) !== 0) metadata.unsigned.add(column);
        });
        break;
      case field.names:
        while (value.left > 0) metadata.names.push(value.text(value.packed()));
        break;
      case field.defaultCharset:
        readDefaultCharset(value, characters, metadata.collations);
        break;
      case field.enumDefaultCharset:
        readDefaultCharset(value, enums, metadata.collations);
        break;
      case field.columnCharset:
        for (const column of characters) metadata.collations.set(column, value.packed());
        break;
      case field.enumColumnCharset:
        for (const column of enums) metadata.collations.set(column, value.packed());
        break;
      case field.enumMembers:
        readMembers(
          value,
          indexesOf((type) => type === columnType.enum),
          metadata.members,
        );
        break;
      case field.setMembers:
        readMembers(
          value,
          indexesOf((type) => type === columnType.set),
          metadata.members,
        );
        break;
      case field.geometry:
        for (const column of indexesOf((type) => type === columnType.geometry)) {
          metadata.geometries.set(column, value.packed());
        }
        break;
      case field.simpleKey:
        while (value.left > 0) metadata.key.push(value.packed());
        break;
      case field.keyWithPrefix:
        while (value.left > 0) {
          metadata.key.push(value.packed());
          value.packed();
        }
        break;
      default:
    }
  }
  return metadata;
}

function readDefaultCharset(
  value: ByteReader,
  columns: readonly number[],
  collations: Map<number, number>,
): void {
  const usual = value.packed();
  for (const column of columns) collations.set(column, usual);
  while (value.left > 0) {
    const column = columns[value.packed()]!;
    collations.set(column, value.packed());
  }
}

function readMembers(
  value: ByteReader,
  columns: readonly number[],
  members: Map<number, readonly Buffer[]>,
): void {
  for (const column of columns) {
    const count = value.packed();
    members.set(
      column,
      Array.from({ length: count }, () => value.bytes(value.packed())),
    );
  }
}
