import { locked, refuseMoved } from "./flush-function.js";
import { keepsBody } from "./keeps-keys.js";
import { insertOfOne, lineOf, packedLines } from "./packed.js";
import { keyedSettings } from "./pinned-settings.js";
import { quoteText } from "./quote.js";
import { keyMatch, shapeParts } from "./shape-function.js";
import { pinsOf, printedTypes } from "./trigger/printed-types.js";
import { wakeStatement } from "./wake-up.js";
import type { OutboxNames } from "./outbox-names.js";

/**
 * Flushes with their statements written out for one table, so that sessions keep their plans: a third of the time goes into planning otherwise. Made
 * when a table is described, where the role may make functions; without them `flush_row` and `flush` do the same. They check that the table is the one
 * they were made for, columns and key, and hand over to `flush` when it is not, or when rows are gone. They pin no more than the table's types and plans need.
 *
 * `make_table_functions` gives what stands behind `row_`, `rows_` and `keeps_` in their names.
 */
export function tableFunctions(names: OutboxNames): string {
  const { schema, s } = names;
  return `create or replace function ${s}.make_table_functions(shape ${s}.table_schema, name text) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $fn$
declare
  hash text := left(md5(name), 16);
  -- A simple expression: its plan goes when the table changes, as its oid is in it, and with it what \`as_planned\` said.
  planned text := format('to_regclass(%1$L) = %2$s::oid and ${s}.as_planned(%1$L, %2$s::oid, %3$L)', name, shape.rel,
    replace(shape.version, ' ' || name, ''));
  same text := format('to_regclass(%L) = %s::oid and %s', name, shape.rel, ${s}.unchanged(shape.rel, shape.rel || '::oid'));
  width int; match text; printed text[]; pins text; pinning text; noted text; keys text; many text;
  made text[]; parameters text[]; options text[]; bodies text[]; olds text[]; is_foreign boolean;
begin
  if shape.image = '' then
    return null;
  end if;
  ${shapeParts("shape.rel")}
  select (select count(*) from keyed), ${keyMatch("format('n.k%s::%s', n, format_type(atttypid, -1))")},
         array(select jsonb_array_elements_text(${printedTypes("shape.rel")}::jsonb))
    into width, match, printed;
  pins := ${pinsOf("printed")};
  pinning := 'integer language plpgsql ' || pins || $settings$ ${keyedSettings}$settings$;
  select string_agg('n.k' || n, ', '), format('unnest($1, %s) with ordinality n(op, %s, ord)', string_agg('$' || n + 1, ', '), string_agg('k' || n, ', '))
    into keys, noted from generate_series(1, width) n;
  many := '"char"[], ' || repeat('text[], ', width) || 'text, text';
  made := array[${["row_", "row_", "rows_", "rows_", "rows_", "keeps_"].map((name) => `${quoteText(`${s}.${name}`)} || hash`).join(", ")}];
  made[1] := made[1] || '_pinned';
  made[3] := made[3] || '_pinned';
  parameters := array['text, jsonb, text, text', 'text, jsonb, text, text', many, many, 'jsonb, text, text', 'oid'];
  options := array[pinning, 'integer language plpgsql', pinning, 'integer language plpgsql', 'integer language plpgsql', 'boolean language plpgsql stable'];
  bodies := array[
    format($body$${rowBody(names)}$body$, name, planned, same, replace(shape.image, '($1->>', '($2->>'), shape.fingerprint, pins),
    ${unpinned("made[1]", "'$1, $2, $3, $4'")},
    format($body$${rowsBody(names)}$body$, name, planned, same, format('select n.ord, coalesce(n.op, ($1)[1]) as op, '
      'array_to_json(array[%s])::text as key, array_to_json(array[%s])::text as image, t.xmin = pg_current_xact_id()::xid as is_own '
      'from %s join %s t on %s', shape.key_cells, shape.cells, noted, name, match), shape.fingerprint, pins, width + 2, width + 3, noted, keys),
    ${unpinned("made[3]", "(select string_agg('$' || n, ', ' order by n) from generate_series(1, width + 3) n)")},
    format($body$${olderRowsBody(names)}$body$, name),
    format($body$${keepsBody(s, "%1$s")}$body$, shape.rel)];
  select array_agg(p.prosrc order by f.n), bool_or(p.oid is not null and not pg_has_role(p.proowner, 'usage')) into olds, is_foreign
    from unnest(made, parameters) with ordinality f(made, parameters, n)
    left join pg_proc p on p.oid = to_regprocedure(f.made || '(' || f.parameters || ')');
  if olds = bodies then
    return hash;
  end if;
  if is_foreign or not has_schema_privilege(${quoteText(s)}::regnamespace, 'create') then
    return null;
  end if;
  -- Two processes that start at once must not replace the same functions at once.
  perform pg_advisory_xact_lock(hashtextextended(${quoteText(`lockstep ddl ${schema}`)}, 0));
  for i in 1..cardinality(made) loop
    execute format('create or replace function %s(%s) returns %s as %L', made[i], parameters[i], options[i], bodies[i]);
  end loop;
  return hash;
end $fn$;`;
}

/** The body of a function that checks constraints and then calls the one that pins settings: see `flushFunctions`. Of expressions for its name and its arguments. */
function unpinned(pinned: string, given: string): string {
  return `format('begin set constraints all immediate; return %s(%s); end', ${pinned}, ${given})`;
}

/**
 * The body for one row, given as op and key. What nearly all calls are about is one statement: rows that the transaction has made or changed itself, of a table that is
 * as it was. All else goes the slow way behind it. Of `format`, with the table's name, whether it is the same as planned, and as it is now, the statement
 * that reads the row, the fingerprint, what is pinned.
 */
function rowBody({ schema, s, outbox }: OutboxNames): string {
  return `
-- Pins: %6$s
declare same boolean; k text; m text; own boolean;
begin
  if %2$s then
    insert into ${outbox} (op, fingerprint, key, image, traceparent, origin)
    select lower($1)::"char", %5$L, f.key, f.image, $3, $4 from (%4$s) f where f.is_own;
  end if;
  if not found then
    same := %2$s or %3$s;
    if same then
      select f.key, f.image, f.is_own into k, m, own from (%4$s) f;
      if not own then
        select f.key, f.image into k, m from (%4$s${locked}) f;
      end if;
    end if;
    if k is null then
      ${refuseMoved("$1", "to_regclass(%1$L)")}
      return ${s}.flush_pinned(jsonb_build_array(jsonb_build_object('t', %1$L, 'r',
        jsonb_build_array(jsonb_build_array(1, $1, $2)))), $3, $4);
    end if;
    insert into ${outbox} (op, fingerprint, key, image, traceparent, origin) values (lower($1)::"char", %5$L, k, m, $3, $4);
  end if;
  ${wakeStatement(schema)}
  return 1;
end `;
}

/**
 * The same for many rows whose keys haven't changed, in the order of their notes: their ops, or the one that all have, and the columns of their keys, an array for
 * each. Ids are drawn when all are read, above every lock that was waited for. After what is pinned: the numbers of the last two parameters, the rows as noted,
 * and the columns of their keys.
 */
function rowsBody({ schema, s, outbox }: OutboxNames): string {
  const line = lineOf("f.op::text", "f.key", "f.image");
  const packing = { outbox, fingerprint: "%5$L", traceparent: "$%7$s", origin: "$%8$s" };
  const own = { ...packing, lines: `select ${line} as line from (%4$s) f where f.is_own order by f.ord` };
  const read = (lock: string): string =>
    `select string_agg(l.line, chr(10) order by l.ord), count(*), count(*) filter (where not l.is_own), max(octet_length(l.line))
        into lines, many, others, widest from (select f.ord, f.is_own, ${line} as line from (%4$s${lock}) f offset 0) l`;
  return `
-- Pins: %6$s
declare same boolean; lines text; many int; others int; widest int;
begin
  if %2$s then
    ${insertOfOne(s, own, "cardinality($2)")};
  end if;
  if not found then
    same := %2$s or %3$s;
    if same then
      ${read("")};
      if others > 0 then
        ${read(locked)};
      end if;
    end if;
    if coalesce(many, 0) < cardinality($2) then
      return ${s}.flush_pinned(jsonb_build_array(jsonb_build_object('t', %1$L, 'r',
        (select jsonb_agg(jsonb_build_array(n.ord, coalesce(n.op, ($1)[1])::text, jsonb_build_array(%10$s)) order by n.ord) from %9$s))), $%7$s, $%8$s);
    end if;
    ${packedLines(s, packing)}
  end if;
  ${wakeStatement(schema)}
  return cardinality($2);
end `;
}

/** What processes of an older version call for many rows, given as `flush` takes them. */
function olderRowsBody({ s }: OutboxNames): string {
  return `begin return ${s}.flush(pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('t', %1$L, 'r', $1)), $2, $3); end `;
}

/** A block that removes the functions that {@link tableFunctions}' function made. */
export function dropTableFunctions(schema: string): string {
  return `declare made text; begin
for made in select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = ${quoteText(schema)} and p.proname ~ '^(rows?|keeps)_[0-9a-f]{16}(_pinned)?$' loop
  execute 'drop function ' || made;
end loop; end;`;
}
