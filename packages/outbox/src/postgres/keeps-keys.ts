import { pinnedPath } from "./pinned-settings.js";

/**
 * Whether rows that are inserted into a table keep the keys they are given. A statement that writes to it holds a lock that conflicts with CREATE TRIGGER and
 * CREATE RULE, so the answer stands until its transaction ends. Not where the catalog may be seen as of an older snapshot, where the database's encoding may give
 * a text back as another one, nor of a partition: the next row may go to another one.
 *
 * `keeps_as_planned` says the same at no cost where it stands in an expression with the table's oid as a constant: see `as_planned`.
 */
export function keepsKeysFunctions(s: string): string {
  return `create or replace function ${s}.keeps_keys(rel oid) returns boolean language plpgsql stable ${pinnedPath} as $fn$
begin
  return current_setting('transaction_isolation') like 'read %' and getdatabaseencoding() = 'UTF8'
    and not exists (select from pg_class c where c.oid = rel and (c.relkind <> 'r' or c.relispartition or c.relhasrules or c.relhastriggers
      -- For each row, before it is inserted. Of constraints none is so.
      and exists (select from pg_trigger g where g.tgrelid = rel and g.tgtype & 7 = 7)));
end $fn$;
create or replace function ${s}.keeps_as_planned(rel oid) returns boolean language plpgsql immutable parallel unsafe ${pinnedPath} as $fn$
begin
  return ${s}.keeps_keys(rel);
end $fn$;`;
}

/** The body of the function that says it of one table, given as oid, in an INSERT: of `format`, with the table's oid. Every name in it is qualified. */
export function keepsBody(s: string, oid: string): string {
  return `
begin
  -- A simple expression: its plan goes when a trigger or a rule comes, as the table's oid is in it, and with it what \`keeps_as_planned\` said. What it said holds
  -- as long as that plan does, whatever snapshot a transaction has.
  return ($1 operator(pg_catalog.=) '${oid}'::pg_catalog.oid and ${s}.keeps_as_planned('${oid}'::pg_catalog.oid)) or ${s}.keeps_keys($1);
end `;
}
