import { refuseMoved } from "./flush-function.js";
import { lineOf, packedInsert } from "./packed.js";
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
  same text := format('to_regclass(%L) = %s::oid and %s', name, shape.rel, ${s}.unchanged(shape.rel, shape.rel || '::oid'));
  given text[] := array[${quoteText(`(${parameters.row})`)}, ${quoteText(`(${parameters.rows})`)}];
  made text[] := array[${quoteText(`${s}.row_`)} || hash, ${quoteText(`${s}.rows_`)} || hash];
  bodies text[]; olds pg_proc[];
begin
  bodies := array[format($body$${rowBody(names)}$body$, name, same,
    replace(replace(shape.image, '($1->>', '($2->>'), ' from ' || name || ' t ', ' into k, m from ' || name || ' t '), shape.fingerprint),
  format($body$${rowsBody(names)}$body$, name, same,
    regexp_replace(shape.images, ' from \\(', ' into o, p, k, m from ('), shape.fingerprint)];
  select array_agg(p order by f.n) into olds from unnest(made, given) with ordinality f(made, given, n)
    join pg_proc p on p.oid = to_regprocedure(f.made || '_pinned' || f.given);
  if olds[1].prosrc = bodies[1] and olds[2].prosrc = bodies[2] then
    return hash;
  end if;
  if shape.image = '' or not has_schema_privilege(${quoteText(s)}::regnamespace, 'create')
     or exists (select from unnest(olds) p where not pg_has_role(p.proowner, 'usage')) then
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

/** The body for one row, given as op and key: of `format`, with the table's name, the check, the statement that reads the row, the fingerprint. */
function rowBody({ schema, s, outbox }: OutboxNames): string {
  return `
declare k text; m text;
begin
  if %2$s then
    %3$s;
  end if;
  if k is null then
    ${refuseMoved("$1", "to_regclass(%1$L)")}
    return ${s}.flush_pinned(jsonb_build_array(jsonb_build_object('t', %1$L, 'r',
      jsonb_build_array(jsonb_build_array(1, $1, $2)))), $3, $4);
  end if;
  insert into ${outbox} (seq, op, fingerprint, key, image, traceparent, origin)
  values (nextval(${quoteText(`${s}.outbox_seq`)}), lower($1)::"char", %4$L, k, m, $3, $4);
  ${wakeStatement(schema)}
  return 1;
end `;
}

/** The same for many rows whose keys haven't changed, given as `flush` takes them. Ids are drawn when all are read, above every lock that was waited for. */
function rowsBody({ schema, s, outbox }: OutboxNames): string {
  const lines = `select ${lineOf("u.op::text", "u.key", "u.image")} as line from (select * from unnest(o, p, k, m) as f (ord, op, key, image) order by f.ord) u`;
  return `
declare o int[]; p "char"[]; k text[]; m text[];
begin
  if %2$s then
    %3$s;
  end if;
  if coalesce(cardinality(o), 0) < jsonb_array_length($1) then
    return ${s}.flush_pinned(jsonb_build_array(jsonb_build_object('t', %1$L, 'r', $1)), $2, $3);
  end if;
  ${packedInsert({ outbox, lines, fingerprint: "%4$L", traceparent: "$2", origin: "$3" })};
  ${wakeStatement(schema)}
  return cardinality(o);
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
