import type { TableSchema } from "../table-schema.js";

/** A row that a store holds. */
export interface HeldRow {
  /** JSON array of the primary key's texts, as the source prints them. */
  readonly key: string;
  /** Canonical texts ({@link toCanonical}), in the order of the table's columns; NULL where the store has nothing. */
  readonly texts: readonly (string | null)[];
}

/** Reads what a store without SQL holds, beside its writers: what verify and full sync compare it by. */
export interface HeldRows {
  /** False when rows may go by themselves (a cache): that one isn't there says nothing. */
  readonly isWhole: boolean;
  /**
   * Some rows of a table, about `limit`, in an order of the store's own, from a place that the page before gave. All pages together have every row that was there
   * all the time, one or the other perhaps twice. `next` is absent behind the last.
   */
  page(
    table: TableSchema,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<{ readonly rows: readonly HeldRow[]; readonly next?: string }>;
  /** The rows with these keys (JSON), as far as they are there. */
  find(table: TableSchema, keys: readonly string[]): Promise<readonly HeldRow[]>;
}
