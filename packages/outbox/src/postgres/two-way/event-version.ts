import type { RowNote } from "@lockstep/core";
import { quoteName, quoteText } from "../quote.js";
import { versionTable } from "./version-function.js";

/**
 * The body of the outbox's trigger: events of two-way tables get the version that their row has then. Whoever writes an event holds the row, and with
 * it the row's version. Pure.
 */
export function eventVersionBody(schema: string, tables: readonly RowNote["table"][]): string {
  const s = quoteName(schema);
  const named = tables.map(({ namespace, name }) => `(${quoteText(namespace)}, ${quoteText(name)})`);
  return `
begin
  if new.version is null and new.op in ('i', 'u', 'd', 's') then
    new.version := (
      select json_strip_nulls(json_build_object('stamp', v.stamp, 'node', v.node, 'seen', v.seen::json, 'from', v.came_from))::text
        from ${versionTable} v
       where v.row_key = new.key and v.stamp > 0 and v.table_name = (
         select k.definition->>'name' from ${s}.table_schema k
          where k.fingerprint = new.fingerprint and (k.definition->>'namespace', k.definition->>'name') in (${named.join(", ")}) limit 1));
  end if;
  return new;
end `;
}
