import { isLockstepError, type RowMapping, type TableReader } from "@lockstep/core";
import type { Key, StoredColumn } from "../digest/column.js";
import type { Digest, Rows, RowState, Side, Slice } from "../digest/table-side.js";
import type { MappedColumn } from "./mapped-column.js";
import type { MappedKey } from "./mapped-key.js";
import { bucketer, rowHasher, type Texts } from "./row-hash.js";
import { BucketSums, RowSum } from "./row-sums.js";
import { type SourceRow, SourceRows } from "./source-rows.js";

/** How a mapped table of the source is read. */
export interface MappedSideOptions {
  readonly reader: TableReader;
  readonly stored: readonly StoredColumn[];
  readonly route: RowMapping;
  readonly columns: readonly SideColumn[];
  /** The target's key, in its order. */
  readonly key: readonly SideColumn[];
  readonly known: Pick<MappedKey, "source" | "strip" | "fill">;
}

/** What of a column is needed to make its text. */
export type SideColumn = Pick<MappedColumn, "target" | "copies" | "at" | "textOf">;

/** What a row of the source is in the target. */
interface MappedRow {
  readonly key: Key;
  readonly texts?: Texts;
  readonly state: RowState;
}

/** A page of rows, and how many were read for it. */
interface MappedPage {
  readonly read: number;
  readonly rows: readonly MappedRow[];
}

const keysPerStatement = 500;

/** Rows of the source as a mapping makes them: read by key order in bounded pages, mapped and hashed in this process. */
export class MappedSide implements Side {
  readonly #rows: SourceRows;
  /** Places of the source's key in an image. */
  readonly #keyPlaces: readonly number[];
  /** Where the texts of copies are among those that are read. */
  readonly #copied: ReadonlyMap<SideColumn, number>;
  readonly #hash: (texts: Texts) => string;
  readonly #bucket: (texts: Texts, buckets: number) => number;

  constructor(private readonly options: MappedSideOptions) {
    const { reader, stored, route, columns, key } = options;
    const { source } = route;
    const copies = columns.filter((column) => column.copies !== undefined);
    this.#copied = new Map(copies.map((column, i) => [column, i]));
    this.#keyPlaces = source.key.map((name) => source.columns.findIndex((one) => one.name === name));
    const texts = copies.map((column) => column.copies!);
    this.#rows = new SourceRows(reader, source, stored, texts);
    this.#hash = rowHasher(columns.map(({ target }) => target));
    this.#bucket = bucketer(key.map(({ target }) => target));
  }

  async digest(slice: Slice): Promise<Digest> {
    const sum = new RowSum();
    let read = 0;
    for await (const page of this.#of(slice)) {
      read += page.read;
      for (const { state } of page.rows) sum.add(state);
    }
    return { ...sum.digest, read };
  }

  async buckets(of: number): Promise<ReadonlyMap<number, Digest>> {
    const sums = new BucketSums();
    for await (const { rows } of this.#scan("TRUE"))
      for (const { key, state } of rows) sums.add(this.#bucket(key, of), state);
    return sums.digests;
  }

  list(slice: Slice): Promise<Rows<RowState>> {
    return statesOf(this.#of(slice));
  }

  at(keys: readonly Key[]): Promise<Rows<RowState>> {
    return statesOf(this.#at(keys));
  }

  async boundary(after: Key | undefined, rows: number): Promise<Key | undefined> {
    const { source, strip, fill } = this.options.known;
    const through = await this.#rows.boundary(source!, after && strip(after), rows);
    return through && fill(through);
  }

  async texts(key: Key): Promise<Texts | undefined> {
    for await (const { rows } of this.#at([key])) for (const { texts } of rows) return texts;
    return undefined;
  }

  count(): Promise<number> {
    return this.#rows.count();
  }

  #of(slice: Slice): AsyncGenerator<MappedPage> {
    const { source, strip } = this.options.known;
    if ("of" in slice) {
      const wanted = new Set(slice.buckets);
      return this.#scan("TRUE", ({ key }) => wanted.has(this.#bucket(key, slice.of)));
    }
    const { after, through } = slice;
    return this.#scan(this.#rows.dialect.range(source!, after && strip(after), through && strip(through)));
  }

  async *#at(keys: readonly Key[]): AsyncGenerator<MappedPage> {
    const { source, strip } = this.options.known;
    if (source === undefined) {
      // A key that a mask hides leads to no row: all are looked at.
      const wanted = new Set(keys.map((key) => JSON.stringify(key)));
      yield* this.#scan("TRUE", ({ key }) => wanted.has(JSON.stringify(key)));
      return;
    }
    const own = keys.map(strip).filter((key) => key !== undefined);
    for (let i = 0; i < own.length; i += keysPerStatement)
      yield* this.#scan(this.#rows.dialect.among(source, own.slice(i, i + keysPerStatement)));
  }

  async *#scan(
    condition: string,
    isWanted: (row: MappedRow) => boolean = () => true,
  ): AsyncGenerator<MappedPage> {
    for await (const page of this.#rows.where(condition)) {
      const rows = page.map((row) => this.#mapped(row)).filter((row) => row !== undefined);
      yield { read: page.length, rows: rows.filter(isWanted) };
    }
  }

  /** `undefined` when the row is not to be in the target. */
  #mapped(row: SourceRow): MappedRow | undefined {
    const { route, columns } = this.options;
    const origin = this.#keyPlaces.map((place) => row.image[place]!);
    const about = { origin, ...(row.version !== undefined && { version: row.version }) };
    const key = this.#keyOf(row, origin);
    try {
      const mapped = route.mapRow(row.image) as Texts | undefined;
      if (mapped === undefined) return undefined;
      const texts = columns.map((column) => this.#textOf(column, row, mapped[column.at]!));
      return { key, texts, state: { hash: this.#hash(texts), ...about } };
    } catch (error) {
      if (!isLockstepError(error, "TRANSFORM_FAILED")) throw error;
      return { key, state: { hash: "", failed: String(error.details["about"]), ...about } };
    }
  }

  #keyOf(row: SourceRow, origin: Key): Key {
    const { route, key } = this.options;
    const mapped = JSON.parse(route.mapKey(JSON.stringify(origin))) as Key;
    return key.map((column, i) => this.#textOf(column, row, mapped[i]!)!);
  }

  #textOf(column: SideColumn, { texts }: SourceRow, cell: string | null): string | null {
    const place = this.#copied.get(column);
    if (place !== undefined) return texts[place]!;
    return cell === null ? null : column.textOf(cell);
  }
}

async function statesOf(pages: AsyncGenerator<MappedPage>): Promise<Rows<RowState>> {
  const found = new Map<string, RowState>();
  for await (const { rows } of pages)
    for (const { key, state } of rows) found.set(JSON.stringify(key), state);
  return found;
}
