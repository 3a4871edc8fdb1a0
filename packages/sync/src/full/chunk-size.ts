/** Bounds of a chunk: one short transaction of the source. */
export interface ChunkBounds {
  readonly maxRows: number;
  /** Of its images. */
  readonly maxBytes: number;
  /** What it should take: rows are locked for so long. */
  readonly ms: number;
}

/** Longer chunks are hardly faster, and hold their rows' locks longer. */
export const defaultChunkBounds: ChunkBounds = { maxRows: 2_000, maxBytes: 4 * 1024 * 1024, ms: 100 };

const unknownRowBytes = 4_096;

/** Rows of the first chunk of a table whose rows are about so large. Pure. */
export function firstChunk(rowBytes: number | undefined, { maxRows, maxBytes }: ChunkBounds): number {
  // Statistics leave out what lies outside of the rows: a tenth, and the sizes seen say how it goes on.
  return clamp(maxBytes / 10 / (rowBytes ?? unknownRowBytes), maxRows / 4);
}

/** Rows of the next chunk, after one of `size` rows that took so long. At most twice as many. Pure. */
export function nextChunk(
  size: number,
  seen: { readonly rows: number; readonly bytes: number; readonly ms: number },
  { maxRows, maxBytes, ms }: ChunkBounds,
): number {
  const byBytes = seen.bytes === 0 ? Infinity : (maxBytes * seen.rows) / seen.bytes;
  const byTime = seen.ms === 0 ? Infinity : (size * ms) / seen.ms;
  return clamp(Math.min(size * 2, byBytes, byTime), maxRows);
}

/** Rows of the next try, after one that gave way to somebody's lock. Pure. */
export function smallerChunk(size: number): number {
  return clamp(size / 4, Infinity);
}

function clamp(rows: number, most: number): number {
  return Math.max(1, Math.floor(Math.min(rows, most)));
}
