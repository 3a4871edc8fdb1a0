import { pinned, textSettings, triggerSettings } from "../pinned-settings.js";
import { quoteBody, quoteText } from "../quote.js";
import { wakeStatement } from "../wake-up.js";
import { pinnedValues, printsTheSame, settingsOf } from "./printed-types.js";
import { exactly, nestedSetting } from "./exactly.js";
import { type ByOperation, seenStatements, transitionTable } from "./statements.js";
import { nameOf, textsOf, type TriggerTable } from "./trigger-table.js";
import { triggerPrefix } from "./triggers.js";
import type { OutboxNames } from "../outbox-names.js";

/** A trigger function: its body, and whether it pins the settings that it needs by itself. */
export interface TriggerFunction {
  readonly body: string;
  readonly pins: boolean;
}

/**
 * A table's one trigger function: its statements written out, so that sessions keep their plans. When the table is no longer the one
 * that it was made for (a column was added, it was renamed), the statements are made anew from the catalog at each firing: slower, and as exact.
 *
 * Rows are written as the trigger saw them, unless another trigger wrote to the table meanwhile: its statement fires before the one that it stands
 * in, and an older image would come after a newer one. From then on, until the transaction ends, rows are written as they are now. Pure.
 */
export function triggerFunction(names: OutboxNames, table: TriggerTable, hash: string): TriggerFunction {
  if (table.level === "row" || table.isHalfSeen) {
    const { declare, statements } = exactly(names, table, hash);
    const body = `
declare ${declare}
begin${table.level === "row" ? truncating : ""}
  ${statements}
  ${wakeStatement(names.schema, "written > 0 and")}
  return null;
end `;
    return { body, pins: false };
  }
  return ofStatements(names, table, hash);
}

/**
 * The function of statement triggers. What nearly all firings are about is one statement, and settings that a function has cost more than what it does: so it
 * sets nothing where the session prints the table's types as it should, and has the usual search_path. All names are qualified: before pg_catalog stand the session's
 * temporary types, beside it what may suit arguments better. Another search_path is pinned: plans would have to be made anew wherever it changes. What is not so
 * plain goes the slow way behind it.
 */
function ofStatements(names: OutboxNames, table: TriggerTable, hash: string): TriggerFunction {
  const settings = settingsOf(table.types);
  const pins = settings !== undefined;
  const own = pins
    ? pinned({ ...pinnedValues(settings), search_path: triggerSettings.search_path }, "kept")
    : undefined;
  const all = pins ? pinned(triggerSettings, "pinned") : undefined;
  const { declare, statements } = exactly(names, table, hash);
  const body = `
${own ? "declare kept pg_catalog.text[];" : ""}
begin
  ${own ? `if not (${[usualPath, ...printsTheSame(settings ?? [])].join(" and ")}) then\n    ${own.pin}\n  end if;` : ""}
  <<firing>>
  begin
    <<plain>>
    begin
      ${plainly(names, table, hash)}
    end;
    declare ${declare}${all ? " pinned pg_catalog.text[];" : ""}
    begin
      ${all?.pin ?? ""}
      ${statements}
      ${all?.release ?? ""}
      found := written > 0;
    end;
  end;
  ${wakeStatement(names.schema, "found and")}
  ${own ? `if kept is not null then\n    ${own.release}\n  end if;` : ""}
  return null;
end `;
  return { body, pins };
}

const usualPath = `pg_catalog.current_setting('search_path') operator(pg_catalog.=) '"$user", public'`;

/** Writes what is as it was when the function was made, and then leaves the block `firing`, as it does when nothing was changed; else it leaves the block `plain`. */
function plainly(names: OutboxNames, table: TriggerTable, hash: string): string {
  const oid = `'${table.oid}'::pg_catalog.oid`;
  const isNamed = `pg_catalog.to_regclass(${quoteText(nameOf(table))}) operator(pg_catalog.=) ${oid}`;
  const statements = seenStatements(names, textsOf(table));
  const branch = (
    operation: keyof ByOperation,
  ): string => `if TG_NAME operator(pg_catalog.=) ${quoteText(`${triggerPrefix(names.schema)}${operation.toLowerCase()}`)} then
        ${statements[operation].few};
        exit firing when found;
        ${statements[operation].some};
        exit firing when found;
        exit firing when not exists (select from ${transitionTable});
        ${statements[operation].many};
        exit firing when found;`;
  return `exit plain when not (TG_RELID operator(pg_catalog.=) ${oid} and pg_catalog.pg_trigger_depth() operator(pg_catalog.=) 1
        and coalesce(${nestedSetting(hash)}, '') operator(pg_catalog.<>) 'on');
      -- A simple expression: its plan goes when the table changes, as its oid is in there, and with it what \`as_planned\` said.
      -- Null where there is no table of its name any more.
      if ${table.unchangedAsPlanned} is not true then
        exit plain when (${isNamed} and ${table.unchanged.replaceAll("$relation", () => "TG_RELID")}) is not true;
      end if;
      -- The name says for what the trigger fires, and at what level.
      ${branch("UPDATE")}
      els${branch("INSERT")}
      els${branch("DELETE")}
      end if;`;
}

/** Lets the triggers of partitions know that the whole table is emptied. */
const truncating = `
  if TG_OP = 'TRUNCATE' then
    perform set_config('lockstep.truncating', case TG_WHEN when 'BEFORE' then 'on' else 'off' end, true);
    if TG_WHEN = 'AFTER' then
      return null;
    end if;
  end if;`;

/**
 * Makes the function. It writes with its owner's rights: whoever may write to the table needs none on Lockstep's schema. Nobody else may put it on a
 * table of his own. Pure.
 */
export function createFunction(name: string, { body, pins }: TriggerFunction): string {
  const settings = pins ? "" : `${textSettings} set row_security = off`;
  return `create or replace function ${name}() returns trigger language plpgsql security definer
${settings} as ${quoteBody(body, "lockstep_capture")};
revoke all on function ${name}() from public;`;
}
