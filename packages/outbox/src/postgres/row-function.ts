import { refuseMoved } from "./flush-function.js";
import { pinnedSettings } from "./pinned-settings.js";
import { quoteText } from "./quote.js";
import { wakeStatement } from "./wake-up.js";

/**
 * A flush of one row with its statements written out for one table, so that sessions keep their plans: a third of the time goes into
 * planning otherwise. Made when a table is described, where the role may make functions; without it `flush_row` does the same.
 * It checks the table's version like every flush, and hands over to `flush_row`'s way when it is not the one it was made for.
 */
export function rowFunctions(schema: string, s: string): string {
  return `create or replace function ${s}.make_row_function(shape ${s}.table_schema, name text) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $fn$
declare
  made text := ${quoteText(`${s}.`)} || 'row_' || left(md5(name), 16);
  body text; old pg_proc;
begin
  body := format($body$
declare k text; m text;
begin
  if ${s}.catalog_version(to_regclass(%1$L)) = %2$L then
    %3$s;
  end if;
  if k is null then
    ${refuseMoved("$1", "to_regclass(%1$L)")}
    return ${s}.flush_pinned(jsonb_build_array(jsonb_build_object('t', %1$L, 'r',
      jsonb_build_array(jsonb_build_array(1, $1, $2)))), $3, $4);
  end if;
  insert into ${s}.outbox (seq, op, fingerprint, key, image, traceparent, origin)
  values (nextval(${quoteText(`${s}.outbox_seq`)}), lower($1)::"char", %4$L, k, m, $3, $4);
  ${wakeStatement(schema)}
  return 1;
end $body$, name, ${s}.catalog_version(shape.rel),
    replace(replace(shape.image, '($1->>', '($2->>'), ' from ' || name || ' t ', ' into k, m from ' || name || ' t '),
    shape.fingerprint);
  select p.* into old from pg_proc p where p.oid = to_regprocedure(made || '_pinned(text, jsonb, text, text)');
  if old.prosrc = body then
    return made;
  end if;
  if shape.image = '' or not has_schema_privilege(${quoteText(s)}::regnamespace, 'create')
     or not coalesce(pg_has_role(old.proowner, 'usage'), true) then
    return null;
  end if;
  -- Two processes that start at once must not replace the same function at once.
  perform pg_advisory_xact_lock(hashtextextended(${quoteText(`lockstep ddl ${schema}`)}, 0));
  execute format($make$create or replace function %s_pinned(text, jsonb, text, text) returns integer language plpgsql
${pinnedSettings} as %L$make$, made, body);
  execute format($make$create or replace function %s(text, jsonb, text, text) returns integer language plpgsql as %L$make$,
    made, format('begin set constraints all immediate; return %s_pinned($1, $2, $3, $4); end', made));
  return made;
end $fn$;`;
}

/** Removes the functions that {@link rowFunctions}' function made. */
export function dropRowFunctions(schema: string): string {
  return `do $lockstep$ declare made text; begin
for made in select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = ${quoteText(schema)} and p.proname ~ '^row_[0-9a-f]{16}(_pinned)?$' loop
  execute 'drop function ' || made;
end loop; end $lockstep$`;
}
