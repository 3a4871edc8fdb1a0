import type { Form } from "./form.js";

/** A column as one side's catalog has it. */
export interface StoredColumn {
  readonly name: string;
  readonly type: string;
  /** Name of its collation, where it has one. */
  readonly collation?: string;
  /** Place in the primary key, from 1. */
  readonly key?: number;
}

/** A column of one side and the text it is compared by. */
export interface ComparedColumn {
  readonly name: string;
  /** As this side stores it. */
  readonly type: string;
  readonly collation?: string;
  readonly form: Form;
  /**
   * How it stands where rows are put together as one text: `plain`: no `#` is ever in it; `free`: any character may be; `long`: so long that
   * its md5 stands for it. The same on both sides.
   */
  readonly part: "plain" | "free" | "long";
}

/** Canonical texts of a primary key's columns, in key order. */
export type Key = readonly string[];

/**
 * How rows are hashed: `record` over PostgreSQL's stored values (both sides PostgreSQL 14 or newer), `sha1` over texts (both sides MySQL or MariaDB, whose
 * sha1 is faster than their md5), else `md5` over texts. Each gives 64 bits.
 */
export type HashMethod = "record" | "sha1" | "md5";

/** Beyond any sum of 64-bit hashes. */
export const unhashed = `1${"0".repeat(38)}`;

/** The SQL of one engine. Pure. */
export interface Dialect {
  name(name: string): string;
  table(namespace: string, name: string): string;
  /** Columns of a table in its order: name, type, collation, place in the primary key. No rows: there is no such table. */
  columnsQuery(namespace: string, name: string): string;
  /** Tables (`namespace.name`) that the foreign keys of a table point to, itself left out. */
  parentsQuery(namespace: string, name: string): string;
  /** The text of a column of the row `t`. */
  text(column: ComparedColumn): string;
  /** The text of a column of the row `t` as an outbox's image has it. */
  image(column: StoredColumn): string;
  /** That text for a client: with the charset of the connection. */
  shown(text: string): string;
  /** A signed 64-bit hash of these columns of the row `t`. */
  hash(columns: readonly ComparedColumn[], method: HashMethod): string;
  /** The sum of hashes; a row whose hash is NULL counts as {@link unhashed}, so that it isn't left out without a word. The hash stands in it once. */
  sum(hash: string): string;
  /** A number from 0 below `buckets` for a key. */
  bucket(key: readonly ComparedColumn[], buckets: number): string;
  /** A key's text as a literal that its column is compared with by the primary key. */
  literal(column: ComparedColumn, text: string): string;
  /** Rows of the primary key's index behind `after` (or from the start), up to and including `through` (or to the end). */
  range(key: readonly ComparedColumn[], after: Key | undefined, through: Key | undefined): string;
  /** The rows with these keys. */
  among(key: readonly ComparedColumn[], keys: readonly Key[]): string;
  /** What changes whenever the row is written; absent where the engine has nothing of the kind. */
  readonly version?: string;
}
