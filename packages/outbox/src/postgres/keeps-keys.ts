import { pinnedPath } from "./pinned-settings.js";

/**
 * Whether rows that are inserted into a table keep the keys they are given. A statement that writes to it holds a lock that conflicts with CREATE TRIGGER and
 * CREATE RULE, so the answer stands until its transaction ends. Not where the catalog may be seen as of an older snapshot, nor where
 * the database's encoding may give a text back as another one.
 */
export function keepsKeysFunction(s: string): string {
  return `create or replace function ${s}.keeps_keys(rel oid) returns boolean language plpgsql stable ${pinnedPath} as $fn$
begin
  return current_setting('transaction_isolation') like 'read %' and getdatabaseencoding() = 'UTF8'
    and not exists (select from pg_class c where c.oid = rel and (c.relkind <> 'r' or c.relhasrules or c.relhastriggers
      -- For each row, before it is inserted. Of constraints none is so; on a partition, the partitioned table's passes for internal up to PostgreSQL 14.
      and exists (select from pg_trigger g where g.tgrelid = rel and g.tgtype & 7 = 7)));
end $fn$;`;
}
