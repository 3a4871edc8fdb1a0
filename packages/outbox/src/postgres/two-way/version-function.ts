import { quoteName, quoteText } from "../quote.js";
import { tableHash } from "../trigger/triggers.js";
import { nameOf, type TriggerTable } from "../trigger/trigger-table.js";

/** Where versions are kept: a table of the target that this database is, too. */
export const versionTable = "lockstep.row_version";

/** A two-way table as its trigger must know it. */
export interface VersionedTable extends Pick<TriggerTable, "namespace" | "name"> {
  readonly key: readonly string[];
  /** Columns of its other unique indexes. */
  readonly unique: readonly (readonly string[])[];
}

/** The name of the transition table. */
export const bornTable = "lockstep_born";

/** Longest key of a two-way table, as JSON text: what every node can keep. */
const maxKeyLength = 600;

const isLane = "coalesce(current_setting('lockstep.origin', true), '') <> ''";

/**
 * The body of a two-way table's trigger function. BEFORE row triggers: a row's version stands in the log right before the row, so that a
 * reader of the log pairs them without holding anything back. Pure.
 *
 * **Maintained invariant**: a version is written exactly if its row is. A version without its write would be newer than all that other nodes have,
 * for good: this node would refuse their writes and wait for an answer to a write that nobody has heard of. An INSERT may still come to nothing behind
 * its BEFORE trigger, or update another row (ON CONFLICT), so what it would meet is looked for first. What can't be foreseen (another transaction that is
 * inserting the same unique value, an index with a condition, a trigger that leaves rows out) fails: versions are counted against the rows that were born.
 */
export function versionBody(node: string, table: VersionedTable): string {
  const name = quoteText(table.name);
  const row = (of: "new" | "old"): string =>
    `row(${table.key.map((k) => `${of}.${quoteName(k)}`).join(", ")})`;
  // Locked: a row that is gone again by the time of the INSERT would let one be born without a version.
  const unlessThere = [table.key, ...table.unique]
    .map((columns) => {
      const same = columns.map((k) => `t.${quoteName(k)} = new.${quoteName(k)}`).join(" and ");
      return `perform from ${nameOf(table)} t where ${same} for key share;
    if found then return new; end if;`;
    })
    .join("\n    ");
  const keyText = (of: "new" | "old"): string =>
    `array_to_json(array[${table.key.map((k) => `${of}.${quoteName(k)}::text`).join(", ")}])::text`;
  const refuse = (why: string): string =>
    `raise exception '%.% is a two-way table: ${why}', TG_TABLE_SCHEMA, TG_TABLE_NAME using errcode = 'feature_not_supported';`;
  return `
declare
  k text; clock bigint;
  unborn text := 'lockstep.unborn_${tableHash(table)}_' || pg_trigger_depth();
begin
  if ${isLane} then
    if TG_OP = 'DELETE' then return old; end if;
    return new;
  end if;
  if TG_OP = 'TRUNCATE' then
    ${refuse("TRUNCATE would empty it here only; DELETE its rows")}
  elsif TG_LEVEL = 'STATEMENT' then
    if coalesce(nullif(current_setting(unborn, true), ''), '0')::bigint <> (select count(*) from ${bornTable}) then
      raise exception '%.% is a two-way table: an INSERT met a row that came or went meanwhile, or what a trigger or an index with a condition leaves out; try again',
        TG_TABLE_SCHEMA, TG_TABLE_NAME using errcode = 'serialization_failure';
    end if;
    perform set_config(unborn, '0', true);
    return null;
  end if;
  if TG_OP = 'DELETE' then k := ${keyText("old")}; else k := ${keyText("new")}; end if;
  if length(k) > ${maxKeyLength} then
    ${refuse(`a key may have ${maxKeyLength} characters at most`)}
  end if;
  if TG_OP = 'UPDATE' then
    if ${row("old")} is distinct from ${row("new")} then
      ${refuse("a primary key can''t be changed; DELETE the row and INSERT it anew")}
    end if;
  end if;
  clock := (extract(epoch from clock_timestamp()) * 1000000)::bigint;
  if TG_OP = 'INSERT' then
    -- Nothing is born of it: it fails, does nothing, or becomes an UPDATE, whose trigger comes.
    ${unlessThere}
    insert into ${versionTable} as v (table_name, row_key, stamp, node, seen)
    values (${name}, k, clock, ${quoteText(node)}, json_build_object(${quoteText(node)}, clock)::text)
    on conflict do nothing;
    if found then
      ${count("unborn")}
      return new;
    end if;
    -- It may have waited for another transaction that made the row.
    perform from ${versionTable} v where v.table_name = ${name} and v.row_key = k for update;
    ${unlessThere}
    ${count("unborn")}
  end if;
  insert into ${versionTable} as v (table_name, row_key, stamp, node, seen, deleted_at)
  values (${name}, k, clock, ${quoteText(node)}, json_build_object(${quoteText(node)}, clock)::text,
          case TG_OP when 'DELETE' then clock_timestamp() end)
  on conflict (table_name, row_key) do update set
    stamp = ${next(node)}, node = excluded.node, came_from = null, deleted_at = excluded.deleted_at,
    seen = (v.seen::jsonb || jsonb_build_object(${quoteText(node)}, ${next(node)}))::text;
  if TG_OP = 'DELETE' then return old; end if;
  return new;
end `;
}

// Above what the row shows, and above this node's own newest write, which may be another one where a policy decided.
function next(node: string): string {
  return `greatest(excluded.stamp, v.stamp + 1, coalesce((v.seen::jsonb->>${quoteText(node)})::bigint, 0) + 1)`;
}

function count(name: string): string {
  return `perform set_config(${name}, (coalesce(nullif(current_setting(${name}, true), ''), '0')::bigint + 1)::text, true);`;
}
