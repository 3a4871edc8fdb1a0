import type { Key } from "../digest/column.js";
import type { ComparedTable } from "../digest/compared-table.js";
import type { Digest, Slice } from "../digest/table-side.js";
import type { Place } from "./progress.js";

/** A part of a table, and what both sides have in it. */
export interface ComparedSlice {
  readonly slice: Slice;
  /** Where to go on behind it; absent: it was the last. */
  readonly place?: Place;
  readonly source: Digest;
  readonly target: Digest;
}

/** How a table is cut. */
export interface SliceOptions {
  /** Rows of a slice, about. */
  readonly sliceRows: number;
  /** Whether a slice is compared at all. */
  readonly isChosen: () => boolean;
  /** Where to begin. Default: at the first row. */
  readonly from?: Place | undefined;
}

const nothing: Digest = { rows: 0, sum: "0" };

/** Compares a table slice by slice, both sides hashing at once. */
export function comparedSlices(table: ComparedTable, options: SliceOptions): AsyncGenerator<ComparedSlice> {
  return table.isOrderedAlike ? byRanges(table, options) : byBuckets(table, options);
}

async function* byRanges(
  { source, target }: ComparedTable,
  { sliceRows, isChosen, from }: SliceOptions,
): AsyncGenerator<ComparedSlice> {
  let after: Key | undefined = from && "after" in from ? from.after : undefined;
  let ends = source.boundary(after, sliceRows);
  for (;;) {
    const through = await ends;
    const slice = { after, through };
    const digests = isChosen()
      ? Promise.all([source.digest(slice), target?.digest(slice) ?? nothing])
      : undefined;
    digests?.catch(() => undefined);
    // The next slice's end is looked for while this one is hashed.
    if (through !== undefined) ends = source.boundary(through, sliceRows);
    ends.catch(() => undefined);
    if (digests !== undefined) {
      const [here, there] = await digests;
      yield { slice, source: here, target: there, ...(through && { place: { after: through } }) };
    }
    if (through === undefined) return;
    after = through;
  }
}

/** Slices whose rows are read together when they differ. */
const bucketsTogether = 16;
const maxBuckets = 16_384;

/** Where the sides have no common order: by a hash of the key, all in one pass over the table on either side. */
async function* byBuckets(
  { source, target }: ComparedTable,
  { sliceRows, isChosen, from }: SliceOptions,
): AsyncGenerator<ComparedSlice> {
  const begin = from && "of" in from ? from : undefined;
  const of = begin?.of ?? bucketsFor(await source.count(), sliceRows);
  const [here, there] = await Promise.all([
    source.buckets(of),
    target?.buckets(of) ?? new Map<number, Digest>(),
  ]);
  for (let first = begin?.bucket ?? 0; first < of; first += bucketsTogether) {
    const buckets = Array.from({ length: Math.min(bucketsTogether, of - first) }, (_, i) => first + i).filter(
      isChosen,
    );
    const same = buckets.filter((b) => isSame(here.get(b) ?? nothing, there.get(b) ?? nothing));
    const others = buckets.filter((b) => !same.includes(b));
    for (const b of same)
      yield { slice: { of, buckets: [b] }, source: here.get(b) ?? nothing, target: there.get(b) ?? nothing };
    const next = first + bucketsTogether;
    yield {
      slice: { of, buckets: others },
      source: joined(here, others),
      target: joined(there, others),
      ...(next < of && { place: { of, bucket: next } }),
    };
  }
}

function bucketsFor(rows: number, sliceRows: number): number {
  return Math.min(Math.max(1, Math.ceil(rows / sliceRows)), maxBuckets);
}

/** Whether both have the same rows, as far as hashes tell. */
export function isSame(one: Digest, other: Digest): boolean {
  return one.rows === other.rows && one.sum === other.sum;
}

function joined(digests: ReadonlyMap<number, Digest>, buckets: readonly number[]): Digest {
  const found = buckets.map((b) => digests.get(b) ?? nothing);
  return {
    rows: found.reduce((sum, { rows }) => sum + rows, 0),
    // Different from the other side's, bucket by bucket: never compared again as a sum.
    sum: found.map(({ sum }) => sum).join(" "),
  };
}
