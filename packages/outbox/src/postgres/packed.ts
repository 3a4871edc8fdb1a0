import { packLetter } from "@lockstep/core";
import { fingerprintMark } from "../pack.js";
import { quoteText } from "./quote.js";

/** How many changes a row of the outbox has, of its name in a statement. Pure. */
export function changesOf(row: string): string {
  return `case ${row}.op when '${packLetter}' then ${row}.key::bigint else 1 end`;
}

/** The fingerprint of the table that a row of the outbox is about. Pure. */
export function fingerprintOf(row: string): string {
  return `ltrim(${row}.fingerprint, '${fingerprintMark}')`;
}

/** The lines of an image or a version that packs, as `l (line, n)`. Pure. */
export function linesOf(text: string): string {
  return `unnest(string_to_array(${text}, chr(10))) with ordinality l (line, n)`;
}

/** The key in a line. Pure. */
export function keyOfLine(line: string): string {
  return `substr(split_part(${line}, chr(9), 1), 2)`;
}

/** About the bytes of a row that packs: what is larger than {@link tupleBytes} would be compressed and stored elsewhere, which costs more than packing saves. */
const packBytes = 6_600;

/** A change of more bytes has a row of its own. */
const maxLineBytes = 1_300;

/** The storage parameter of the outbox that keeps rows of this size whole: a page's room for one. */
export const tupleBytes = "toast_tuple_target = 8160";

/** Bytes of a row that packs all that there is, where LZ4 compresses it: mostly it has room in a page then, too. It takes a tenth of what the rows took that it saves. */
const compressedBytes = 32_768;

/** Whether the server has LZ4: PostgreSQL 14, if it was built with it. The compression that all have takes longer than those rows. */
const hasLz4 = `exists (select from pg_catalog.pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals))`;

/** How many bytes such a row may have in this outbox: an expression that is a constant in every plan. Pure. */
export const roomOf = (s: string): string => `${s}.pack_bytes()`;

/** Statements of PL/pgSQL that compress rows of the outbox that a page has no room for, where the server can, and that make what says how large they may be. Pure. */
export function roomFunction(s: string, outbox: string): string {
  const room = (bytes: number): string =>
    `create or replace function ${roomOf(s)} returns integer language sql immutable parallel safe as 'select ${bytes}';`;
  const compressed = ["image", "version"].map((name) => `alter column ${name} set compression lz4`);
  // As a text: older servers don't know the words.
  return `if ${hasLz4} then
  if exists (select from pg_catalog.pg_attribute a where a.attrelid = ${quoteText(outbox)}::regclass
      and a.attname in ('image', 'version') and to_jsonb(a)->>'attcompression' <> 'l') then
    execute ${quoteText(`alter table ${outbox} ${compressed.join(", ")}`)};
  end if;
  ${room(compressedBytes)}
else
  ${room(packBytes)}
end if;`;
}

/** A change as a line of a row that packs, of expressions for its parts. Pure. */
export function lineOf(op: string, key: string, image?: string): string {
  return [op, key, "pg_catalog.chr(9)", ...(image === undefined ? [] : [image])].join(
    " operator(pg_catalog.||) ",
  );
}

/** What is packed. */
export interface Packing {
  readonly outbox: string;
  /** A query of lines ({@link lineOf}), in their order. */
  readonly lines: string;
  /** Expressions for what all have in common. */
  readonly fingerprint: string;
  readonly traceparent: string;
  readonly origin: string;
}

/**
 * The statement that writes them, several to a row as far as they have room in it; what is alone in one, as a change of its own. Everything is read before the first
 * id is drawn. Sorted once more before rows are made of it: by what is in order already, so that no plan can take the changes of a row in another order. Every name
 * is qualified: triggers run it under the session's search_path. Pure.
 */
export function packedInsert({ outbox, lines, fingerprint, traceparent, origin }: Packing): string {
  const is = (left: string, operator: string, right: string): string =>
    `(${left} operator(pg_catalog.${operator}) ${right})`;
  const alone = (value: string, packed: string): string =>
    `case when ${is("p.n", "=", "1")} then ${value} else ${packed} end`;
  const bytes = "pg_catalog.octet_length(l.line)";
  // What has no room with others goes as far as two rows would.
  const large = 2 * packBytes;
  // Of two rows that begin at the same place, the one for what is large.
  const pack = is(
    is(is(is("w.upto", "-", "w.bytes"), "/", `${packBytes}`), "*", "2"),
    "+",
    `case when ${is("w.bytes", "=", `${large}`)} then 1 else 0 end`,
  );
  return `insert into ${outbox} (op, fingerprint, key, image, traceparent, origin)
    select ${alone("pg_catalog.left(p.lines, 1)", `'${packLetter}'`)}::pg_catalog."char", ${is(alone("''", `'${fingerprintMark}'`), "||", fingerprint)},
      ${alone("pg_catalog.substr(pg_catalog.split_part(p.lines, pg_catalog.chr(9), 1), 2)", "p.n::pg_catalog.text")},
      ${alone(`case when ${is("pg_catalog.right(p.lines, 1)", "<>", "pg_catalog.chr(9)")} then pg_catalog.substr(p.lines, ${is("pg_catalog.strpos(p.lines, pg_catalog.chr(9))", "+", "1")}) end`, "p.lines")}, ${traceparent}, ${origin}
      from (select pg_catalog.count(*) as n, pg_catalog.string_agg(g.line, pg_catalog.chr(10)) as lines from (
        select w.line, ${pack} as pack from (
          select m.line, m.bytes, pg_catalog.sum(m.bytes) over (rows unbounded preceding) as upto from (
            select l.line, case when ${is(bytes, ">", `${maxLineBytes}`)} then ${large} else ${is(bytes, "+", "1")} end as bytes
              from (${lines} offset 0) l) m) w
        order by pack, w.upto) g group by g.pack order by g.pack) p`;
}

/**
 * The same for lines that have room in one row, at two thirds of the cost; where they turn out to have none, or to be large, nothing is written. `lines`: a query of several,
 * in an order that no plan can change; `count`: nothing is written either where they are not as many. Pure.
 */
export function insertOfOne(
  s: string,
  { outbox, lines, fingerprint, traceparent, origin }: Packing,
  count?: string,
): string {
  const bytes = "pg_catalog.octet_length(p.lines)";
  return `insert into ${outbox} (op, fingerprint, key, image, traceparent, origin)
    select '${packLetter}', '${fingerprintMark}' operator(pg_catalog.||) ${fingerprint}, p.n::pg_catalog.text, p.lines, ${traceparent}, ${origin}
      from (select pg_catalog.count(*) as n, pg_catalog.string_agg(l.line, pg_catalog.chr(10)) as lines from (${lines}) l) p
     where ${bytes} operator(pg_catalog.<=) ${roomOf(s)} and ${bytes} operator(pg_catalog.<=) (p.n operator(pg_catalog.*) ${maxLineBytes})${count === undefined ? "" : ` and p.n operator(pg_catalog.=) ${count}`}`;
}

/**
 * {@link packedInsert} in PL/pgSQL for lines that are one text already, with line feeds between, in the variable `lines`: `many` says how many they are, `widest` the bytes of
 * the largest. What has room in one row, as nearly always, is written at a third of the cost. Pure.
 */
export function packedLines(s: string, packing: Omit<Packing, "lines">): string {
  const { outbox, fingerprint, traceparent, origin } = packing;
  return `if many > 1 and widest <= ${maxLineBytes} and octet_length(lines) <= ${roomOf(s)} then
    insert into ${outbox} (op, fingerprint, key, image, traceparent, origin)
    values ('${packLetter}', '${fingerprintMark}' || ${fingerprint}, many::text, lines, ${traceparent}, ${origin});
  else
    ${packedInsert({ ...packing, lines: `select l.line from ${linesOf("lines")} order by l.n` })};
  end if;`;
}
