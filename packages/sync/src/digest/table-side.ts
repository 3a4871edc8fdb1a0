import { LockstepError, type TableReader } from "@lockstep/core";
import { type ComparedColumn, type Dialect, type HashMethod, type Key, unhashed } from "./column.js";

/** A part of a table: rows between two keys, or rows whose keys fall into some of `of` buckets. */
export type Slice =
  | { readonly after?: Key | undefined; readonly through?: Key | undefined }
  | { readonly of: number; readonly buckets: readonly number[] };

/**
 * How many rows a slice has, and the sum of their hashes: 64-bit ones, added up as whole numbers. Slices that differ in any way have the same sum
 * with a probability of 2^-64 (a xor would let two equal changes cancel each other).
 */
export interface Digest {
  readonly rows: number;
  readonly sum: string;
  /** Rows that were read for it, where that is another number. */
  readonly read?: number;
}

/** One row as it was when it was read. */
export interface RowState {
  readonly hash: string;
  /** Another one when the row was written in between; absent where the engine doesn't tell. */
  readonly version?: string;
  /** The source's key of a row that is another one's in the target, as the source prints it. */
  readonly origin?: Key;
  /** The mapping's code failed on it: what it should be isn't known. Names the code's place. */
  readonly failed?: string;
}

/** Rows by the JSON text of their canonical key. */
export type Rows<T> = ReadonlyMap<string, T>;

/** One side of a comparison. */
export interface Side {
  digest(slice: Slice): Promise<Digest>;
  /** All of `of` buckets that hold rows, in one pass over the table. */
  buckets(of: number): Promise<ReadonlyMap<number, Digest>>;
  /** Keys and hashes of a slice. */
  list(slice: Slice): Promise<Rows<RowState>>;
  /** The rows with these keys, as far as they are there. */
  at(keys: readonly Key[]): Promise<Rows<RowState>>;
  /** The key of the last of the next `rows` rows behind `after`; `undefined` when there are fewer. */
  boundary(after: Key | undefined, rows: number): Promise<Key | undefined>;
  /** The canonical text of each compared column of one row; `undefined` when it isn't there. */
  texts(key: Key): Promise<readonly (string | null)[] | undefined>;
  /** About how many rows there are. */
  count(): Promise<number>;
}

/** How one side's table is read. */
export interface SideOfTable {
  readonly reader: TableReader;
  readonly dialect: Dialect;
  /** Quoted. */
  readonly table: string;
  readonly key: readonly ComparedColumn[];
  /** All that is compared, key included. */
  readonly columns: readonly ComparedColumn[];
  readonly method: HashMethod;
  /** A condition on the row `t`: others share its table. */
  readonly only?: string;
}

const keysPerStatement = 500;

/** Everything is computed inside the database. */
export class TableSide implements Side {
  readonly #keyTexts: string;
  readonly #hash: string;

  constructor(private readonly side: SideOfTable) {
    const { dialect, key, columns, method } = side;
    this.#keyTexts = key.map((column, i) => `${dialect.shown(dialect.text(column))} AS k${i}`).join(", ");
    this.#hash = dialect.hash(columns, method);
  }

  async digest(slice: Slice): Promise<Digest> {
    const [row] = await this.#rows(
      `SELECT COUNT(*) AS n, COALESCE(${this.side.dialect.sum(this.#hash)}, 0) AS s FROM ${this.side.table} t WHERE ${this.#where(slice)} AND ${this.#own}`,
    );
    return digestOf(row!);
  }

  async buckets(of: number): Promise<ReadonlyMap<number, Digest>> {
    const { table, dialect, key } = this.side;
    const rows = await this.#rows(
      `SELECT COUNT(*) AS n, COALESCE(${dialect.sum(this.#hash)}, 0) AS s, ${dialect.bucket(key, of)} AS bucket FROM ${table} t WHERE ${this.#own} GROUP BY 3`,
    );
    return new Map(rows.map((row) => [Number(row[2]), digestOf(row)]));
  }

  async list(slice: Slice): Promise<Rows<RowState>> {
    return this.#states(this.#where(slice));
  }

  async at(keys: readonly Key[]): Promise<Rows<RowState>> {
    const { dialect, key } = this.side;
    const found = new Map<string, RowState>();
    for (let i = 0; i < keys.length; i += keysPerStatement) {
      const page = await this.#states(dialect.among(key, keys.slice(i, i + keysPerStatement)));
      for (const [id, state] of page) found.set(id, state);
    }
    return found;
  }

  async boundary(after: Key | undefined, rows: number): Promise<Key | undefined> {
    const { table, key, dialect } = this.side;
    const order = key.map(({ name }) => `t.${dialect.name(name)}`).join(", ");
    const [row] = await this.#rows(
      `SELECT ${this.#keyTexts} FROM ${table} t WHERE ${dialect.range(key, after, undefined)} AND ${this.#own} ORDER BY ${order} LIMIT 1 OFFSET ${rows - 1}`,
    );
    return row?.map((text) => text!);
  }

  async texts(key: Key): Promise<readonly (string | null)[] | undefined> {
    const { table, dialect, columns } = this.side;
    const texts = columns.map((column, i) => `${dialect.shown(dialect.text(column))} AS c${i}`).join(", ");
    const [row] = await this.#rows(
      `SELECT ${texts} FROM ${table} t WHERE ${dialect.among(this.side.key, [key])}`,
    );
    return row;
  }

  async count(): Promise<number> {
    const [row] = await this.#rows(`SELECT COUNT(*) AS n FROM ${this.side.table} t WHERE ${this.#own}`);
    return Number(row![0]);
  }

  async #states(where: string): Promise<Rows<RowState>> {
    const { table, dialect, key } = this.side;
    const version = dialect.version === undefined ? "" : `, ${dialect.version} AS v`;
    const rows = await this.#rows(
      `SELECT ${this.#keyTexts}, ${this.#hash} AS h${version} FROM ${table} t WHERE ${where} AND ${this.#own}`,
    );
    return new Map(
      rows.map((row) => [
        JSON.stringify(row.slice(0, key.length)),
        { hash: row[key.length]!, ...(version !== "" && { version: row[key.length + 1]! }) },
      ]),
    );
  }

  #where(slice: Slice): string {
    const { dialect, key } = this.side;
    if (!("of" in slice)) return dialect.range(key, slice.after, slice.through);
    return `${dialect.bucket(key, slice.of)} IN (${slice.buckets.join(", ")})`;
  }

  get #own(): string {
    return this.side.only ?? "TRUE";
  }

  #rows(sql: string): ReturnType<TableReader["rows"]> {
    return this.side.reader.rows(sql);
  }
}

function digestOf([rows, sum]: readonly (string | null)[]): Digest {
  if (sum!.replace("-", "").length >= unhashed.length - 1) {
    throw new LockstepError("VERIFY_UNHASHED", "the database gave no hash for some rows");
  }
  return { rows: Number(rows), sum: sum! };
}
