import { assertNever } from "@lockstep/core";
import { type ComparedColumn, type Dialect, type Key, type StoredColumn, unhashed } from "./column.js";
import { floatText, type TextFunctions } from "./float-text.js";
import { classOf } from "./form.js";
import { nullBits, rowParts } from "./row-parts.js";

/** MySQL's and MariaDB's SQL. */
export const mysqlDialect: Dialect = {
  name: quoteName,
  table: (namespace, name) => `${quoteName(namespace)}.${quoteName(name)}`,
  columnsQuery: (namespace, name) => `SELECT c.column_name AS a, c.column_type AS b, c.collation_name AS c,
  s.seq_in_index AS d
 FROM information_schema.columns c
 LEFT JOIN (SELECT column_name, seq_in_index FROM information_schema.statistics WHERE table_schema = ${quoteText(namespace)}
   AND table_name = ${quoteText(name)} AND index_name = 'PRIMARY') s ON s.column_name = c.column_name
WHERE c.table_schema = ${quoteText(namespace)} AND c.table_name = ${quoteText(name)} ORDER BY c.ordinal_position`,
  parentsQuery: (
    namespace,
    name,
  ) => `SELECT DISTINCT CONCAT(k.referenced_table_schema, '.', k.referenced_table_name) AS a
 FROM information_schema.key_column_usage k
WHERE k.table_schema = ${quoteText(namespace)} AND k.table_name = ${quoteText(name)} AND k.referenced_table_name IS NOT NULL
  AND NOT (k.referenced_table_schema = k.table_schema AND k.referenced_table_name = k.table_name)`,
  text: textOf,
  image(column) {
    const type = column.type.toLowerCase();
    const value = columnOf(column);
    if (classOf({ engine: "mysql", type }) === "bytes") return `HEX(${value})`;
    return printed(column, type.replace(" zerofill", ""), value);
  },
  // Of bytes it only says that they are UTF-8.
  shown: (text) => `CONVERT(${text} USING utf8mb4)`,
  hash: (columns, method) =>
    `CAST(CONV(LEFT(${method === "sha1" ? "SHA1" : "MD5"}(${rowText(columns)}), 16), 16, -10) AS SIGNED)`,
  sum: (hash) => `SUM(IFNULL(${hash}, ${unhashed}))`,
  bucket: (key, buckets) => `((CONV(LEFT(MD5(${rowText(key)}), 8), 16, 10) & ${2 ** 31 - 1}) % ${buckets})`,
  literal,
  range(key, after, through) {
    const columns = key.map(columnOf);
    const behind = after && beyond(columns, literals(key, after), ">", false);
    const upTo = through && beyond(columns, literals(key, through), "<", true);
    return [behind, upTo].filter(Boolean).join(" AND ") || "TRUE";
  },
  among(key, keys) {
    const columns = key.map(columnOf);
    if (columns.length === 1)
      return `${columns[0]} IN (${keys.map((texts) => literal(key[0]!, texts[0]!)).join(", ")})`;
    // Not a list of tuples: MariaDB reads those by scanning the index.
    const one = (texts: Key): string =>
      `(${literals(key, texts)
        .map((text, i) => `${columns[i]} = ${text}`)
        .join(" AND ")})`;
    return `(${keys.map(one).join(" OR ")})`;
  },
};

function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

const special = /['\\\0]/g;

// Maintained invariant: sessions that read have NO_BACKSLASH_ESCAPES off.
function quoteText(text: string): string {
  return `'${text.replace(special, (character) => (character === "\0" ? "\\0" : `\\${character}`))}'`;
}

function columnOf({ name }: StoredColumn): string {
  return `t.${quoteName(name)}`;
}

function literals(key: readonly ComparedColumn[], texts: Key): string[] {
  return key.map((column, i) => literal(column, texts[i]!));
}

/** Rows that stand behind (`>`) or before (`<`) a key, or at it. The first column alone bounds them too, so that the index is used. */
function beyond(
  columns: readonly string[],
  texts: readonly string[],
  way: ">" | "<",
  isAtToo: boolean,
): string {
  const [column, ...rest] = columns;
  const [text, ...others] = texts;
  if (rest.length === 0) return `${column} ${way}${isAtToo ? "=" : ""} ${text}`;
  return `${column} ${way}= ${text} AND (${column} ${way} ${text} OR (${beyond(rest, others, way, isAtToo)}))`;
}

function literal(column: ComparedColumn, text: string): string {
  switch (classOf({ engine: "mysql", type: column.type })) {
    case "number":
      // A string compared with a number would be compared as doubles.
      return /^-?\d+(\.\d+)?$/.test(text) ? text : quoteText(text);
    case "bytes":
      return /^([0-9a-f]{2})*$/i.test(text) ? `X'${text}'` : quoteText(text);
    case "bits":
      return /^[01]+$/.test(text) ? `b'${text}'` : quoteText(text);
    case "date":
      return `CAST(${quoteText(text)} AS DATE)`;
    case "time":
      return `CAST(${quoteText(text)} AS TIME(6))`;
    case "moment":
      return `CAST(${quoteText(text)} AS DATETIME(6))`;
    default:
      return quoteText(text);
  }
}

const functions: TextFunctions = {
  before: (text, mark) => `SUBSTRING_INDEX(${text}, '${mark}', 1)`,
  after: (text, mark) => `SUBSTRING_INDEX(${text}, '${mark}', -1)`,
  holds: (text, mark) => `LOCATE('${mark}', ${text}) > 0`,
  asInteger: (text) => `CAST(${text} AS SIGNED)`,
  asText: (number) => `CAST(${number} AS CHAR)`,
  when: (condition, yes, no) => `IF(${condition}, ${yes}, ${no})`,
  trimStart: (text) => `TRIM(LEADING '0' FROM ${text})`,
  trimEnd: (text) => `TRIM(TRAILING '0' FROM ${text})`,
};

const withoutZeros = (text: string): string => `TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM ${text}))`;

/** The text of a value whose characters are all ASCII. */
function plain(type: string, value: string): string {
  if (/zerofill|^year/.test(type)) return `CAST(${value} + 0 AS CHAR)`;
  return `CAST(${value} AS CHAR)`;
}

/** As UTF-8 with one collation, so that texts of different ones can be put together. */
function utf8(value: string, { collation = "" }: Pick<ComparedColumn, "collation">): string {
  return collation.startsWith("utf8mb4")
    ? `${value} COLLATE utf8mb4_bin`
    : `CAST(CONVERT(${value} USING utf8mb4) AS BINARY)`;
}

function textOf(column: ComparedColumn): string {
  const { form } = column;
  const type = column.type.toLowerCase();
  const value = columnOf(column);
  switch (form) {
    case "stored":
    case "text":
      return printed(column, type, value);
    case "padded":
      // A CHAR comes without its padding.
      return type.startsWith("char") ? utf8(value, column) : `TRIM(TRAILING ' ' FROM ${utf8(value, column)})`;
    case "number":
      return /^decimal\(\d+,[1-9]/.test(type) ? withoutZeros(plain("", value)) : plain(type, value);
    case "float":
      // A FLOAT prints six digits: 16777217 would be 16777200.
      return floatText(
        `CAST(${type.startsWith("float") ? `CAST(${value} AS DOUBLE)` : value} AS CHAR)`,
        functions,
      );
    case "bytes":
      return `LOWER(HEX(${value}))`;
    case "moment":
      return /\([1-6]\)/.test(type) ? withoutZeros(plain(type, value)) : plain(type, value);
    case "uuid":
      return `LOWER(${plain(type, value)})`;
    default:
      return assertNever(form);
  }
}

function printed(column: StoredColumn, type: string, value: string): string {
  switch (classOf({ engine: "mysql", type })) {
    case "bits":
      return `LPAD(BIN(${value} + 0), ${/\((\d+)\)/.exec(type)?.[1] ?? 1}, '0')`;
    case "bytes":
      return `LOWER(HEX(${value}))`;
    case "number":
    case "date":
    case "time":
    case "moment":
      return plain(type, value);
    case "float":
      return `CAST(CAST(${value} AS DOUBLE) AS CHAR)`;
    case "uuid":
      return plain(type, value);
    default:
      return utf8(value, column);
  }
}

/** One text for these columns. (CONCAT_WS once: nested calls cost as much as the hash itself.) */
function rowText(columns: readonly ComparedColumn[]): string {
  const parts = rowParts(columns, {
    part,
    nulls: (some) => nullBits(some, (column) => `ISNULL(${columnOf(column)})`),
    length: (column) => `LENGTH(${textOf(column)})`,
  });
  return `CONCAT_WS('#', ${parts.join(", ")})`;
}

// A text beyond max_allowed_packet is NULL: long values stand in it by their md5.
function part(column: ComparedColumn): string {
  if (column.form === "bytes") return `MD5(${columnOf(column)})`;
  return column.part === "long" ? `MD5(${textOf(column)})` : textOf(column);
}
