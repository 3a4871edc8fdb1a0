import type { HeldRow, HeldRows, TableSchema } from "@lockstep/core";
import type { Key } from "../digest/column.js";
import type { Digest, Rows, RowState, Side, Slice } from "../digest/table-side.js";
import type { SideColumn } from "../mapped/mapped-side.js";
import { bucketer, rowHasher, type Texts } from "../mapped/row-hash.js";
import { BucketSums, RowSum } from "../mapped/row-sums.js";

/** How what a store holds is read. */
export interface HeldSideOptions {
  readonly held: HeldRows;
  readonly schema: TableSchema;
  readonly columns: readonly SideColumn[];
  readonly key: readonly SideColumn[];
  /** Whether a row is of this mapping, where others share the table. */
  readonly isOwn: (row: HeldRow) => boolean;
}

/** So many rows are read and held at once. */
const rowsTogether = 200;

/** Rows of a store without SQL: read page by page and hashed in this process. Their order is the store's own, so that slices are buckets. */
export class HeldSide implements Side {
  readonly #hash: (texts: Texts) => string;
  readonly #bucket: (texts: Texts, buckets: number) => number;

  constructor(private readonly options: HeldSideOptions) {
    this.#hash = rowHasher(options.columns.map(({ target }) => target));
    this.#bucket = bucketer(options.key.map(({ target }) => target));
  }

  async digest(slice: Slice): Promise<Digest> {
    const sum = new RowSum();
    for (const state of (await this.list(slice)).values()) sum.add(state);
    return sum.digest;
  }

  /** A row that comes twice makes its bucket look different: it is looked at again, and found equal. */
  async buckets(of: number): Promise<ReadonlyMap<number, Digest>> {
    const sums = new BucketSums();
    for await (const rows of this.#pages())
      for (const row of rows) sums.add(this.#bucket(JSON.parse(row.key) as Key, of), this.#stateOf(row));
    return sums.digests;
  }

  async list(slice: Slice): Promise<Rows<RowState>> {
    const isIn = (key: Key): boolean =>
      !("of" in slice) || slice.buckets.includes(this.#bucket(key, slice.of));
    const found = new Map<string, RowState>();
    for await (const rows of this.#pages())
      for (const row of rows) if (isIn(JSON.parse(row.key) as Key)) found.set(row.key, this.#stateOf(row));
    return found;
  }

  async at(keys: readonly Key[]): Promise<Rows<RowState>> {
    const found = new Map<string, RowState>();
    for (let i = 0; i < keys.length; i += rowsTogether)
      for (const row of await this.#find(keys.slice(i, i + rowsTogether)))
        found.set(row.key, this.#stateOf(row));
    return found;
  }

  async texts(key: Key): Promise<Texts | undefined> {
    return (await this.#find([key]))[0]?.texts;
  }

  /** There is no order. */
  async boundary(): Promise<undefined> {
    return undefined;
  }

  async count(): Promise<number> {
    return (await this.list({})).size;
  }

  /** Keys (JSON) of everything that is there, page by page. */
  async *keys(): AsyncGenerator<readonly string[], void, undefined> {
    for await (const rows of this.#pages()) yield rows.map(({ key }) => key);
  }

  async *#pages(): AsyncGenerator<readonly HeldRow[], void, undefined> {
    const { held, schema, isOwn } = this.options;
    let after: string | undefined;
    do {
      const page = await held.page(schema, { limit: rowsTogether, ...(after !== undefined && { after }) });
      yield page.rows.filter(isOwn);
      after = page.next;
    } while (after !== undefined);
  }

  async #find(keys: readonly Key[]): Promise<readonly HeldRow[]> {
    const { held, schema, isOwn } = this.options;
    return (
      await held.find(
        schema,
        keys.map((key) => JSON.stringify(key)),
      )
    ).filter(isOwn);
  }

  #stateOf({ texts }: HeldRow): RowState {
    return { hash: this.#hash(texts) };
  }
}
