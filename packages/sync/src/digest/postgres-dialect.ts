import { assertNever } from "@lockstep/core";
import type { ComparedColumn, Dialect, Key, StoredColumn } from "./column.js";
import { floatText, type TextFunctions } from "./float-text.js";
import { nullBits, rowParts } from "./row-parts.js";

/** PostgreSQL's SQL. */
export const postgresDialect: Dialect = {
  name: quoteName,
  table: (namespace, name) => `${quoteName(namespace)}.${quoteName(name)}`,
  columnsQuery: (namespace, name) => `select a.attname, (with recursive base as (
    select t.oid, a.atttypmod as typmod, t.typtype, t.typbasetype, t.typtypmod from pg_type t where t.oid = a.atttypid
    union all
    select t.oid, b.typtypmod, t.typtype, t.typbasetype, t.typtypmod from base b join pg_type t on t.oid = b.typbasetype where b.typtype = 'd')
    select format_type(b.oid, b.typmod) from base b where b.typtype <> 'd'),
  (select case when l.collname = 'default' then d.datcollate else l.collname end from pg_collation l, pg_database d
    where l.oid = a.attcollation and d.datname = current_database()),
  (select k.n from pg_index i, unnest(i.indkey) with ordinality k(attnum, n)
    where i.indrelid = c.oid and i.indisprimary and k.n <= i.indnkeyatts and k.attnum = a.attnum)
 from pg_class c join pg_namespace s on s.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where s.nspname = ${quoteText(namespace)} and c.relname = ${quoteText(name)} and c.relkind in ('r', 'p')
  and a.attnum > 0 and not a.attisdropped order by a.attnum`,
  parentsQuery: (namespace, name) => `select distinct ps.nspname || '.' || p.relname
 from pg_constraint f join pg_class c on c.oid = f.conrelid join pg_namespace s on s.oid = c.relnamespace
 join pg_class p on p.oid = f.confrelid join pg_namespace ps on ps.oid = p.relnamespace
where f.contype = 'f' and f.confrelid <> f.conrelid and s.nspname = ${quoteText(namespace)} and c.relname = ${quoteText(name)}`,
  text: textOf,
  image: (column) => printed(column.type, columnOf(column)),
  shown: (text) => text,
  hash: (columns, method) => (method === "record" ? recordHash(columns) : textHash(columns)),
  // A value that can't be hashed is an error here.
  sum: (hash) => `sum(${hash})`,
  bucket: (key, buckets) =>
    `((('x' || left(md5(${rowText(key)}), 8))::bit(32)::bigint & ${2 ** 31 - 1}) % ${buckets})`,
  literal,
  range(key, after, through) {
    const columns = row(key.map(columnOf));
    const behind = after && `${columns} > ${row(literals(key, after))}`;
    const upTo = through && `${columns} <= ${row(literals(key, through))}`;
    return [behind, upTo].filter(Boolean).join(" and ") || "true";
  },
  among: (key, keys) =>
    `${row(key.map(columnOf))} in (${keys.map((texts) => row(literals(key, texts))).join(", ")})`,
  version: "t.xmin::text",
};

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

// Whatever standard_conforming_strings says.
function quoteText(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return text.includes("\\") ? ` E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}

function columnOf({ name }: StoredColumn): string {
  return `t.${quoteName(name)}`;
}

function row(items: readonly string[]): string {
  return items.length === 1 ? items[0]! : `(${items.join(", ")})`;
}

function literals(key: readonly ComparedColumn[], texts: Key): string[] {
  return key.map((column, i) => literal(column, texts[i]!));
}

function literal({ type, form }: ComparedColumn, text: string): string {
  if (form === "bytes") return `decode(${quoteText(text)}, 'hex')`;
  if (form === "moment" && type.includes("with time zone"))
    return `(${quoteText(text)}::timestamp at time zone 'UTC')`;
  if (type === "boolean") return `${quoteText(text)}::boolean`;
  return `${quoteText(text)}::${type}`;
}

/** The text as an image has it: where a cast prints something else than the type's own output, that is called. */
function printed(type: string, value: string): string {
  if (/^(character\(\d+\)|bpchar|character)$/.test(type)) return `textin(bpcharout(${value}))`;
  if (type === "inet") return `textin(inet_out(${value}))`;
  return type === "xml" ? `textin(xml_out(${value}))` : `${value}::text`;
}

const functions: TextFunctions = {
  before: (text, mark) => `split_part(${text}, '${mark}', 1)`,
  after: (text, mark) => `split_part(${text}, '${mark}', 2)`,
  holds: (text, mark) => `strpos(${text}, '${mark}') > 0`,
  asInteger: (text) => `(${text})::int`,
  asText: (number) => `(${number})::text`,
  when: (condition, yes, no) => `case when ${condition} then ${yes} else ${no} end`,
  trimStart: (text) => `ltrim(${text}, '0')`,
  trimEnd: (text) => `rtrim(${text}, '0')`,
};

function textOf(column: ComparedColumn): string {
  const { type, form } = column;
  const value = columnOf(column);
  switch (form) {
    case "stored":
    case "text":
      return printed(type, value);
    case "padded":
      return `rtrim(${printed(type, value)}, ' ')`;
    case "number":
      if (type === "boolean") return `${value}::int::text`;
      return type.startsWith("numeric") ? `trim_scale(${value})::text` : `${value}::text`;
    case "float":
      // An infinity has no digits; no other engine holds one.
      return `case when ${value} is null or ${value}::text ~ 'n' then ${value}::text else ${floatText(`${value}::text`, functions)} end`;
    case "bytes":
      return `encode(${value}, 'hex')`;
    case "moment":
      return type.includes("with time zone") ? `(${value} at time zone 'UTC')::text` : `${value}::text`;
    case "uuid":
      return `lower(${value}::text)`;
    default:
      return assertNever(form);
  }
}

/**
 * A value of which hash_record_extended hashes every bit. Of many types it doesn't by itself: 1.50 equals 1.5, the halves of a bigint are folded
 * into 32 bits, an enum's number differs between databases.
 */
function hashable(column: ComparedColumn): string {
  const value = columnOf(column);
  if (column.form !== "stored") return `${textOf(column)} collate "C"`;
  const type = column.type.replace(/\(.*\)/, "");
  switch (type) {
    case "smallint":
    case "integer":
    case "date":
    case "boolean":
    case "uuid":
    case "bytea":
      return value;
    case "bigint":
      return `int8send(${value})`;
    case "real":
      return `float4send(${value})`;
    case "double precision":
      return `float8send(${value})`;
    case "numeric":
      return `numeric_send(${value})`;
    case "timestamp without time zone":
      return `timestamp_send(${value})`;
    case "timestamp with time zone":
      return `timestamptz_send(${value})`;
    case "time without time zone":
      return `time_send(${value})`;
    default:
      return `${printed(column.type, value)} collate "C"`;
  }
}

/** The record's hash is a sum over its columns, so that values traded between rows would leave the rows' sum as it was: it is hashed again. */
function recordHash(columns: readonly ComparedColumn[]): string {
  return `hashtextextended(hash_record_extended(row(${columns.map(hashable).join(", ")}), 0)::text, 0)`;
}

function textHash(columns: readonly ComparedColumn[]): string {
  return `('x' || left(md5(${rowText(columns)}), 16))::bit(64)::bigint`;
}

function rowText(columns: readonly ComparedColumn[]): string {
  const parts = rowParts(columns, {
    part,
    nulls: (some) => nullBits(some, (column) => `(${columnOf(column)} is null)::int`),
    length: (column) => `octet_length(${textOf(column)})`,
  });
  return `concat_ws('#', ${parts.join(", ")})`;
}

function part(column: ComparedColumn): string {
  if (column.form === "bytes") return `md5(${columnOf(column)})`;
  return column.part === "long" ? `md5(${textOf(column)})` : textOf(column);
}
