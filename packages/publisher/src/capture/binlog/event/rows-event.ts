import { ByteReader } from "./byte-reader.js";
import { eventType } from "./event-header.js";

/** Reads one cell's text. */
export type CellReader = (reader: ByteReader) => string;

/** One changed row: its cells before and after; `0` where the log leaves a cell out. */
export interface LoggedRow {
  readonly before?: (string | null | 0)[];
  readonly after?: (string | null | 0)[];
  /** The log leaves cells of `after` out. */
  readonly isPartial: boolean;
  /** Where the row begins in the event's body. */
  readonly at: number;
}

/** What a rows event does, by its type; `undefined` for other events. */
export function rowsOpOf(type: number): "insert" | "update" | "delete" | undefined {
  switch (type) {
    case eventType.writeRowsV1:
    case eventType.writeRowsV2:
      return "insert";
    case eventType.updateRowsV1:
    case eventType.updateRowsV2:
      return "update";
    case eventType.deleteRowsV1:
    case eventType.deleteRowsV2:
      return "delete";
    default:
      return undefined;
  }
}

/** Id of the table whose rows an event changes. */
export function tableIdOf(body: Buffer): number {
  return body.readUIntLE(0, 6);
}

/** The rows of an event, one after another. `cells` has a reader for each column of the table. */
export function* rowsOf(type: number, body: Buffer, cells: readonly CellReader[]): Generator<LoggedRow> {
  const op = rowsOpOf(type)!;
  const reader = new ByteReader(body, 8);
  // Version 2 has extra data, whose length counts itself.
  if (type >= eventType.writeRowsV2) reader.skip(reader.u16() - 2);
  const count = reader.packed();
  const bitmapBytes = (count + 7) >> 3;
  const first = presentIn(reader.bytes(bitmapBytes), count);
  const second = op === "update" ? presentIn(reader.bytes(bitmapBytes), count) : first;
  const isPartial = second.length < cells.length;
  while (reader.left > 0) {
    const at = reader.at;
    const image = readImage(reader, first, cells);
    if (op === "insert") yield { after: image, isPartial, at };
    else if (op === "delete") yield { before: image, isPartial, at };
    else yield { before: image, after: readImage(reader, second, cells), isPartial, at };
  }
}

/** Indexes of the columns that images hold. */
function presentIn(bitmap: Buffer, count: number): readonly number[] {
  const present: number[] = [];
  for (let i = 0; i < count; i++) if ((bitmap[i >> 3]! & (1 << (i & 7))) !== 0) present.push(i);
  return present;
}

function readImage(
  reader: ByteReader,
  present: readonly number[],
  cells: readonly CellReader[],
): (string | null | 0)[] {
  const nulls = reader.bytes((present.length + 7) >> 3);
  const image = Array.from<string | null | 0>({ length: cells.length }).fill(0);
  for (let i = 0; i < present.length; i++) {
    const column = present[i]!;
    image[column] = (nulls[i >> 3]! & (1 << (i & 7))) === 0 ? cells[column]!(reader) : null;
  }
  return image;
}
