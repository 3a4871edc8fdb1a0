import { packLetter } from "@lockstep/core";
import { fingerprintMark } from "../pack.js";

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

/** A change as a line of a row that packs, of expressions for its parts. Pure. */
export function lineOf(op: string, key: string, image?: string): string {
  return `${op} || ${key} || chr(9)${image === undefined ? "" : ` || ${image}`}`;
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
 * id is drawn. Sorted once more before rows are made of it: by what is in order already, so that no plan can take the changes of a row in another order. Pure.
 */
export function packedInsert({ outbox, lines, fingerprint, traceparent, origin }: Packing): string {
  const alone = (value: string, packed: string): string => `case p.n when 1 then ${value} else ${packed} end`;
  // What has no room with others goes as far as two rows would.
  return `insert into ${outbox} (op, fingerprint, key, image, traceparent, origin)
    select ${alone("left(p.lines, 1)", `'${packLetter}'`)}::"char", ${alone("''", `'${fingerprintMark}'`)} || ${fingerprint},
      ${alone(keyOfLine("p.lines"), "p.n::text")},
      ${alone("nullif(substr(p.lines, strpos(p.lines, chr(9)) + 1), '')", "p.lines")}, ${traceparent}, ${origin}
      from (select count(*) as n, string_agg(g.line, chr(10)) as lines from (
        select w.line, w.is_large, (w.upto - w.bytes) / ${packBytes} as pack from (
          select m.*, sum(m.bytes) over (rows unbounded preceding) as upto from (
            select l.line, octet_length(l.line) > ${maxLineBytes} as is_large,
                   case when octet_length(l.line) > ${maxLineBytes} then ${2 * packBytes} else octet_length(l.line) + 1 end as bytes
              from (${lines} offset 0) l) m) w
        order by pack, is_large, upto) g group by g.pack, g.is_large order by g.pack, g.is_large) p`;
}

/**
 * The same in PL/pgSQL for lines that are one text already, with line feeds between, in the variable `lines`: `many` says how many they are, `widest` the bytes of
 * the largest. What has room in one row, as nearly always, is written at a third of the cost. Pure.
 */
export function packedLines(packing: Omit<Packing, "lines">): string {
  const { outbox, fingerprint, traceparent, origin } = packing;
  return `if many > 1 and widest <= ${maxLineBytes} and octet_length(lines) <= ${packBytes} then
    insert into ${outbox} (op, fingerprint, key, image, traceparent, origin)
    values ('${packLetter}', '${fingerprintMark}' || ${fingerprint}, many::text, lines, ${traceparent}, ${origin});
  else
    ${packedInsert({ ...packing, lines: `select l.line from ${linesOf("lines")} order by l.n` })};
  end if;`;
}
