import { locked, refuseMoved } from "./flush-function.js";
import { lineOf, packedLines } from "./packed.js";
import { pinnedSettings } from "./pinned-settings.js";
import { quoteText } from "./quote.js";
import { wakeStatement } from "./wake-up.js";
import type { OutboxNames } from "./outbox-names.js";

/** Parameters of the functions for one row of a table and for many. */
const parameters = { row: "text, jsonb, text, text", rows: "jsonb, text, text" };

/**
 * Flushes with their statements written out for one table, so that sessions keep their plans: a third of the time goes into planning otherwise. Made
 * when a table is described, where the role may make functions; without them `flush_row` and `flush` do the same. They check that the table is the one
 * they were made for, columns and key, and hand over to `flush` when it is not, or when rows are gone.
 *
 * `make_table_functions` gives what stands behind `row_` and `rows_` in their names.
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
  given text[] := array[${quoteText(`(${parameters.row})`)}, ${quoteText(`(${parameters.rows})`)}];
  made text[] := array[${quoteText(`${s}.row_`)} || hash, ${quoteText(`${s}.rows_`)} || hash];
  bodies text[]; olds text[]; owners oid[];
begin
  bodies := array[format($body$${rowBody(names)}$body$, name, planned, same, replace(shape.image, '($1->>', '($2->>'), shape.fingerprint),
    format($body$${rowsBody(names)}$body$, name, planned, same, shape.images, shape.fingerprint)];
  select array_agg(p.prosrc order by f.n), array_agg(p.proowner) into olds, owners from unnest(made, given) with ordinality f(made, given, n)
    join pg_proc p on p.oid = to_regprocedure(f.made || '_pinned' || f.given);
  if olds = bodies then
    return hash;
  end if;
  if shape.image = '' or not has_schema_privilege(${quoteText(s)}::regnamespace, 'create')
     or exists (select from unnest(owners) o where not pg_has_role(o, 'usage')) then
    return null;
  end if;
  -- Two processes that start at once must not replace the same functions at once.
  perform pg_advisory_xact_lock(hashtextextended(${quoteText(`lockstep ddl ${schema}`)}, 0));
  for i in 1..2 loop
    execute format($make$create or replace function %s_pinned%s returns integer language plpgsql
${pinnedSettings} as %L$make$, made[i], given[i], bodies[i]);
    execute format($make$create or replace function %s%s returns integer language plpgsql as %L$make$, made[i], given[i],
      format('begin set constraints all immediate; return %s_pinned(%s); end', made[i], case i when 1 then '$1, $2, $3, $4' else '$1, $2, $3' end));
  end loop;
  return hash;
end $fn$;`;
}

/**
 * The body for one row, given as op and key: of `format`, with the table's name, whether it is the same as planned, and as it is now, the statement
 * that reads the row, the fingerprint.
 */
function rowBody({ schema, s, outbox }: OutboxNames): string {
  return `
declare same boolean := %2$s; k text; m text; own boolean;
begin
  if not same then
    same := %3$s;
  end if;
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
  insert into ${outbox} (seq, op, fingerprint, key, image, traceparent, origin)
  values (nextval(${quoteText(`${s}.outbox_seq`)}), lower($1)::"char", %5$L, k, m, $3, $4);
  ${wakeStatement(schema)}
  return 1;
end `;
}

/** The same for many rows whose keys haven't changed, given as `flush` takes them. Ids are drawn when all are read, above every lock that was waited for. */
function rowsBody({ schema, s, outbox }: OutboxNames): string {
  const read = (lock: string): string =>
    `select string_agg(l.line, chr(10) order by l.ord), count(*), count(*) filter (where not l.is_own), max(octet_length(l.line))
      into lines, many, others, widest
      from (select f.ord, f.is_own, ${lineOf("f.op::text", "f.key", "f.image")} as line from (%4$s${lock}) f offset 0) l`;
  return `
declare same boolean := %2$s; lines text; many int; others int; widest int;
begin
  if not same then
    same := %3$s;
  end if;
  if same then
    ${read("")};
    if others > 0 then
      ${read(locked)};
    end if;
  end if;
  if coalesce(many, 0) < jsonb_array_length($1) then
    return ${s}.flush_pinned(jsonb_build_array(jsonb_build_object('t', %1$L, 'r', $1)), $2, $3);
  end if;
  ${packedLines(s, { outbox, fingerprint: "%5$L", traceparent: "$2", origin: "$3" })}
  ${wakeStatement(schema)}
  return many;
end `;
}

/** A block that removes the functions that {@link tableFunctions}' function made. */
export function dropTableFunctions(schema: string): string {
  return `declare made text; begin
for made in select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = ${quoteText(schema)} and p.proname ~ '^rows?_[0-9a-f]{16}(_pinned)?$' loop
  execute 'drop function ' || made;
end loop; end;`;
}
