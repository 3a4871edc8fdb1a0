import { bounded, quoteText } from "@lockstep/outbox/postgres";

/** Has a table log whole old rows, and remembers with it what it logged before, so that removing can give it back whatever comes of the rest. Pure. */
export function widenStatement(table: string, s: string): string {
  const relation = `${quoteText(table)}::regclass`;
  return bounded([
    // Of two processes the second one finds what the first one made.
    `insert into ${s}.wal_widened as w (name, identity, by_index)
select ${quoteText(table)}, c.relreplident, (select i.indexrelid from pg_index i where i.indrelid = c.oid and i.indisreplident)
  from pg_class c where c.oid = ${relation} and c.relreplident <> 'f'
on conflict (name) do update set identity = excluded.identity, by_index = excluded.by_index;`,
    `alter table ${table} replica identity full;`,
  ]);
}

/** Statements that give tables back what {@link widenStatement} took, if they are still as it left them. A version before kept the names alone; an index may be gone, or unfit by now. Pure. */
export function narrowAgain(s: string): string {
  const kept = `select w.name, coalesce(to_jsonb(w)->>'identity', 'd') as identity, i.relname as by_index
  from ${s}.wal_widened w join pg_class t on t.oid = to_regclass(w.name) left join pg_class i on i.oid = (to_jsonb(w)->>'by_index')::oid
 where t.relreplident = 'f'`;
  return `if to_regclass(${quoteText(`${s}.wal_widened`)}) is not null then
  for widened in execute ${quoteText(kept)} loop
    begin
      execute format('alter table %s replica identity %s', widened.name, case when widened.identity = 'n' then 'nothing'
        when widened.by_index is not null then format('using index %I', widened.by_index) else 'default' end);
    exception when wrong_object_type then
      execute format('alter table %s replica identity default', widened.name);
    end;
  end loop;
end if;`;
}
