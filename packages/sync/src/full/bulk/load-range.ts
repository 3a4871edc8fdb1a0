import {
  type BulkLayout,
  type BulkLoader,
  type BulkReader,
  isLockstepError,
  type KeyRange,
  type TableSchema,
  type Target,
  type TargetTable,
} from "@lockstep/core";

/** A table on its way past the stream. */
export interface Load {
  readonly reader: BulkReader;
  readonly loader: BulkLoader;
  readonly target: Pick<Target, "classify">;
  readonly schema: TableSchema;
  readonly table: TargetTable;
  readonly layout: BulkLayout;
  /** Rows may be there. Default: it is tried first as if they weren't. */
  readonly merges?: boolean;
}

/** What became of a range: rows that are in, and parts that the target refused. */
export interface LoadedRange {
  readonly rows: number;
  readonly refused: readonly KeyRange[];
}

/** A refused range is tried again in so many parts, down to about this many rows: the rest of it needn't go the slower way. */
const parts = 10;
const smallestRows = 1_000;
/** After so many refused parts in a row the rest isn't tried. */
const enough = 3;

/**
 * Loads a range of about `rows` rows. What the target refuses, whatever it is about (a value, a row that is there), is left to the stream.
 * @throws what isn't about rows.
 */
export async function loadRange(load: Load, range: KeyRange, rows: number): Promise<LoadedRange> {
  try {
    return { rows: await written(load, range), refused: [] };
  } catch (error) {
    const { kind, code } = load.target.classify(error);
    // The reader may refuse a row as well, of which the target knows nothing.
    const isRow = kind === "row" || (isLockstepError(error) && error.recovery === "dead-letter");
    if (!isRow) throw error;
    // A row is there: the lane has written it, or this range was loaded before a kill.
    if (code === "TARGET_UNIQUE" && !load.merges) return loadRange({ ...load, merges: true }, range, rows);
    return rows <= smallestRows ? { rows: 0, refused: [range] } : loadParts(load, range, rows / parts);
  }
}

function written({ reader, loader, schema, table, layout, merges }: Load, range: KeyRange): Promise<number> {
  return merges
    ? loader.merge(table, reader.read(schema, range, { format: "text" }))
    : loader.load(table, layout, reader.read(schema, range, layout));
}

async function loadParts(load: Load, range: KeyRange, rows: number): Promise<LoadedRange> {
  const size = Math.max(1, Math.floor(rows));
  const refused: KeyRange[] = [];
  let loaded = 0;
  let inARow = 0;
  for (let rest: KeyRange | undefined = range; rest !== undefined;) {
    if (inARow >= enough) {
      refused.push(rest);
      break;
    }
    const end: readonly string[] | undefined = await load.reader.cut(load.schema, rest, size);
    const part: KeyRange = { ...rest, through: end ?? rest.through };
    const result = await loadRange(load, part, size);
    loaded += result.rows;
    refused.push(...result.refused);
    inARow = result.rows === 0 ? inARow + 1 : 0;
    rest = end === undefined ? undefined : { after: end, through: rest.through };
  }
  return { rows: loaded, refused };
}
