import { type CaptureFinding, type RowNote, type RunStatement, tableId } from "@lockstep/core";
import { quoteName, quoteText } from "../quote.js";

/**
 * Triggers of the application's own that may change a row before it is written. They fire for what lanes write, too: what they make of a row then is at this node
 * alone, under a version that says it is everywhere, and nobody would tell. One that asks for the origin is taken to let lanes be.
 */
export async function ownTriggers(
  run: RunStatement,
  { schema, prefix }: { readonly schema: string; readonly prefix: string },
  tables: readonly RowNote["table"][],
): Promise<readonly CaptureFinding[]> {
  if (tables.length === 0) return [];
  const named = tables.map(({ namespace, name }) => `${quoteName(namespace)}.${quoteName(name)}`);
  const rows = await run(
    `select n.nspname::text as namespace, c.relname::text as name, s.problem, string_agg(t.tgname::text, ', ' order by t.tgname) as triggers
  from unnest($1::text[]) as g(relation) join pg_class c on c.oid = to_regclass(g.relation) join pg_namespace n on n.oid = c.relnamespace
  join pg_trigger t on t.tgrelid = c.oid join pg_proc p on p.oid = t.tgfoid
  cross join lateral (select 'late' as problem where t.tgname::text collate "C" > ${quoteText(prefix)}
    union all select 'deaf' where strpos(concat(p.prosrc, pg_get_triggerdef(t.oid)), 'lockstep.origin') = 0) s
 where not t.tgisinternal and t.tgenabled in ('O', 'A') and t.tgtype & 3 = 3 and t.tgtype & 20 <> 0
   and not starts_with(t.tgname, ${quoteText(prefix)}) and p.pronamespace <> coalesce(to_regnamespace(${quoteText(quoteName(schema))}), 0)
 group by 1, 2, 3 order by 1, 2, 3`,
    [named],
  );
  return rows.map(({ namespace, name, problem, triggers }) => {
    const table = tableId({ namespace: String(namespace), name: String(name) });
    const what =
      problem === "late"
        ? `must come before ${prefix} by their names: what they change would go out under the version of another row`
        : "may change rows that lanes write, which no other node would hear of: let them do nothing where current_setting('lockstep.origin', true) isn't empty";
    return {
      table,
      problem: "extra",
      message: `${table}: triggers of your own (${String(triggers)}) ${what}`,
    };
  });
}
