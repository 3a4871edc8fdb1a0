import { bounded } from "../bounded.js";
import { quoteText } from "../quote.js";
import { triggerPrefix } from "./triggers.js";

/** One statement that removes every capture trigger that writes to this outbox, and their functions. Pure. */
export function removeTriggers(schema: string): string {
  const loops = `for made in select t.tgname, t.tgrelid::regclass::text as relation from pg_trigger t join pg_proc p on p.oid = t.tgfoid
  join pg_namespace n on n.oid = p.pronamespace
 where n.nspname = ${quoteText(schema)} and starts_with(t.tgname, ${quoteText(triggerPrefix(schema))}) and t.tgparentid = 0 loop
  execute format('drop trigger %I on %s', made.tgname, made.relation);
end loop;
for made in select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where n.nspname = ${quoteText(schema)} and p.proname ~ '^capture_[0-9a-f]{16}$' loop
  execute 'drop function ' || made.name;
end loop;`;
  return bounded([loops], { declare: "made record; " });
}
