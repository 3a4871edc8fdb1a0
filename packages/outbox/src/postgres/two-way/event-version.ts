import { packLetter, type RowNote } from "@lockstep/core";
import { fingerprintOf, keyOfLine, linesOf } from "../packed.js";
import { quoteName, quoteText } from "../quote.js";
import { versionTable } from "./version-function.js";

/**
 * The body of the outbox's trigger: events of two-way tables get the version that their row has then. Whoever writes an event holds the row, and with
 * it the row's version. Pure.
 */
export function eventVersionBody(schema: string, tables: readonly RowNote["table"][]): string {
  const s = quoteName(schema);
  const named = tables.map(({ namespace, name }) => `(${quoteText(namespace)}, ${quoteText(name)})`);
  const versionOf = (key: string): string => `(
      select json_strip_nulls(json_build_object('stamp', v.stamp, 'node', v.node, 'seen', v.seen::json, 'from', v.came_from))::text
        from ${versionTable} v
       where v.row_key = ${key} and v.stamp > 0 and v.table_name = (
         select k.definition->>'name' from ${s}.table_schema k
          where k.fingerprint = ${fingerprintOf("new")} and (k.definition->>'namespace', k.definition->>'name') in (${named.join(", ")}) limit 1))`;
  return `
begin
  if new.version is null and new.op in ('i', 'u', 'd', 's') then
    new.version := ${versionOf("new.key")};
  elsif new.version is null and new.op = '${packLetter}' then
    new.version := (select case when count(v.version) > 0 then string_agg(coalesce(v.version, ''), chr(10) order by l.n) end
      from ${linesOf("new.image")} cross join lateral (select ${versionOf(keyOfLine("l.line"))} as version) v);
  end if;
  return new;
end `;
}
