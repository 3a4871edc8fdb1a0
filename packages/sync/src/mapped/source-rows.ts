import type { TableReader, TableSchema } from "@lockstep/core";
import { dialects } from "../digest/catalog.js";
import type { ComparedColumn, Dialect, Key, StoredColumn } from "../digest/column.js";
import { comparedColumn, partOf } from "../digest/pair.js";
import { defaultChunkBounds, firstChunk, nextChunk } from "../full/chunk-size.js";

/** A row of the source: its image, and the texts of the columns that were asked for. */
export interface SourceRow {
  readonly image: readonly (string | null)[];
  readonly texts: readonly (string | null)[];
  readonly version?: string;
}

/** Reads whole rows of a table, as an outbox's images have them, page by page: what is held at once is bounded by bytes, however long rows are. */
export class SourceRows {
  readonly #dialect: Dialect;
  readonly #table: string;
  readonly #key: readonly ComparedColumn[];
  /** Each expression is selected once, whatever it is needed for. */
  readonly #selected: readonly string[];
  readonly #places: Readonly<Record<"key" | "image" | "texts", readonly number[]>>;
  #size = firstChunk(undefined, defaultChunkBounds);

  constructor(
    private readonly reader: TableReader,
    schema: TableSchema,
    stored: readonly StoredColumn[],
    texts: readonly ComparedColumn[],
  ) {
    const dialect = (this.#dialect = dialects[reader.engine]);
    const columnOf = (name: string): StoredColumn =>
      stored.find((column) => column.name === name) ?? schema.columns.find((column) => column.name === name)!;
    this.#table = dialect.table(reader.namespace ?? schema.namespace, schema.name);
    this.#key = schema.key.map((name) =>
      comparedColumn(columnOf(name), "stored", partOf(reader, columnOf(name))),
    );
    const wanted = {
      key: this.#key.map((column) => dialect.shown(dialect.text(column))),
      image: schema.columns.map(({ name }) => dialect.shown(dialect.image(columnOf(name)))),
      texts: texts.map((column) => dialect.shown(dialect.text(column))),
    };
    const selected = (this.#selected = [...new Set(Object.values(wanted).flat())]);
    const placesOf = (expressions: readonly string[]): number[] =>
      expressions.map((expression) => selected.indexOf(expression));
    this.#places = {
      key: placesOf(wanted.key),
      image: placesOf(wanted.image),
      texts: placesOf(wanted.texts),
    };
  }

  get dialect(): Dialect {
    return this.#dialect;
  }

  /** The rows that meet a condition, in the order of their keys. */
  async *where(condition: string): AsyncGenerator<readonly SourceRow[], void, undefined> {
    let after: Key | undefined;
    for (;;) {
      const size = this.#size;
      const began = performance.now();
      const rows = await this.#page(condition, after, size);
      const bytes = rows.reduce(
        (sum, row) => sum + row.reduce((all, text) => all + (text?.length ?? 0), 0),
        0,
      );
      if (rows.length > 0)
        this.#size = nextChunk(
          size,
          { rows: rows.length, bytes, ms: performance.now() - began },
          defaultChunkBounds,
        );
      yield rows.map((row) => this.#rowOf(row));
      if (rows.length < size) return;
      after = this.#places.key.map((place) => rows.at(-1)![place]!);
    }
  }

  /** About how many rows there are. */
  async count(): Promise<number> {
    const [row] = await this.reader.rows(`SELECT COUNT(*) AS n FROM ${this.#table} t`);
    return Number(row![0]);
  }

  /** The texts, in these columns' forms, of the last of the next `rows` keys behind `after`. */
  async boundary(
    key: readonly ComparedColumn[],
    after: Key | undefined,
    rows: number,
  ): Promise<Key | undefined> {
    const texts = key
      .map((column, i) => `${this.#dialect.shown(this.#dialect.text(column))} AS k${i}`)
      .join(", ");
    const [row] = await this.reader.rows(
      `SELECT ${texts} FROM ${this.#table} t WHERE ${this.#dialect.range(key, after, undefined)} ORDER BY ${this.#order} LIMIT 1 OFFSET ${rows - 1}`,
    );
    return row?.map((text) => text!);
  }

  get #order(): string {
    return this.#key.map(({ name }) => `t.${this.#dialect.name(name)}`).join(", ");
  }

  #page(condition: string, after: Key | undefined, size: number): ReturnType<TableReader["rows"]> {
    const { version } = this.#dialect;
    const columns = [...this.#selected, ...(version === undefined ? [] : [version])];
    const list = columns.map((expression, i) => `${expression} AS c${i}`).join(", ");
    return this.reader.rows(
      `SELECT ${list} FROM ${this.#table} t WHERE ${condition} AND ${this.#dialect.range(this.#key, after, undefined)} ORDER BY ${this.#order} LIMIT ${size}`,
    );
  }

  #rowOf(row: readonly (string | null)[]): SourceRow {
    const version = row[this.#selected.length];
    return {
      image: this.#places.image.map((place) => row[place]!),
      texts: this.#places.texts.map((place) => row[place]!),
      ...(version != null && { version }),
    };
  }
}
