import { textSettings } from "../pinned-settings.js";
import { quoteBody, quoteName, quoteText } from "../quote.js";
import { wakeStatement } from "../wake-up.js";
import {
  type ByOperation,
  firingStatements,
  type FiringStatements,
  givenRows,
  type OfRows,
  transitionTable,
} from "./statements.js";
import type { OutboxNames } from "../outbox-names.js";

/** A table as its triggers must know it. */
export interface TriggerTable {
  readonly namespace: string;
  readonly name: string;
  readonly oid: string;
  readonly fingerprint: string;
  /** The condition that the table with the oid `$relation` has the columns and the key it had when this was read. */
  readonly unchanged: string;
  /** The condition that says the same of the table that it was read of, where a plan is made for it: see `as_planned`. */
  readonly unchangedAsPlanned: string;
  /** Texts of key and columns of a row named `t`, and the condition that it is the row `r`. */
  readonly keyCells: string;
  readonly cells: string;
  readonly keySame: string;
  /** Columns of the key, in its order. */
  readonly key: readonly string[];
  /**
   * `statement`: triggers that see a statement's rows as a table. `row`: one row at a time, where the database fires no statement triggers (writes to a
   * partition by its own name, logical replication).
   */
  readonly level: "statement" | "row";
  /** Constraints that are checked at the end of the transaction are on it, or lead to it. */
  readonly hasDeferrable: boolean;
  /** Triggers don't see all values: rows are always read again. */
  readonly isHalfSeen: boolean;
}

/**
 * The body of a table's one trigger function: its statements written out, so that sessions keep their plans. When the table is no longer the one
 * that it was made for (a column was added, it was renamed), the statements are made anew from the catalog at each firing: slower, and as exact.
 *
 * Rows are written as the trigger saw them, unless another trigger wrote to the table meanwhile: its statement fires before the one that it stands
 * in, and an older image would come after a newer one. From then on, until the transaction ends, rows are written as they are now. Pure.
 */
export function functionBody({ schema, s, outbox }: OutboxNames, table: TriggerTable, hash: string): string {
  const name = quoteText(nameOf(table));
  const isRow = table.level === "row";
  const relation = isRow ? table.oid : "TG_RELID";
  // A partition's trigger is told the partition: the table that it belongs to may have another name now, and its old one may be another table's.
  const named = isRow
    ? `to_regclass(${name}) = ${relation}`
    : `TG_TABLE_NAME = ${quoteText(table.name)} and TG_TABLE_SCHEMA = ${quoteText(table.namespace)}`;
  const current = isRow
    ? "coalesce(pg_partition_root(TG_RELID), TG_RELID)::regclass::text"
    : "format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME)";
  const own = {
    fingerprint: quoteText(table.fingerprint),
    key: table.keyCells,
    cells: table.cells,
    same: table.keySame,
    table: nameOf(table),
  };
  const made = { fingerprint: "%1$L", key: "%2$s", cells: "%3$s", same: "%4$s", table: "%5$s" };
  const nested = `lockstep.nested_${hash}`;
  const unchanged = table.unchanged.replaceAll("$relation", () => relation);
  // The plan of a query that reads the transition table goes when the table changes, and with it what `as_planned` said.
  const check = isRow
    ? `is_same := ${unchanged};`
    : `if TG_LEVEL = 'STATEMENT' and TG_OP <> 'TRUNCATE' then
    is_same := (select ${table.unchangedAsPlanned} or (${unchanged}) where not exists (select from ${transitionTable} where false));
  else
    is_same := ${unchanged};
  end if;`;
  const block = `capture_${hash}`;
  return `
declare shape ${s}.table_schema; written bigint; again boolean := ${table.isHalfSeen}; is_same boolean;
begin${isRow ? truncating : ""}
  if pg_trigger_depth() > 1 or current_setting('${nested}', true) = 'on' then
    perform set_config('${nested}', 'on', true);
    again := true;
  end if;
  ${check}
  if is_same and ${named} then
${choice(isRow, firingStatements(outbox, own, { new: `${block}.new`, old: `${block}.old` }), (statement) => `${statement};`)}
  else
    shape := ${s}.shape_named(${current});
    if shape.key_cells = '' then
      raise exception 'table % has no primary key', ${current} using errcode = 'invalid_table_definition';
    end if;
${choice(isRow, firingStatements(outbox, made, givenRows), (statement) => executed(statement, current))}
  end if;
  ${wakeStatement(schema, "written > 0 and")}
  return null;
end `;
}

/** Lets the triggers of partitions know that the whole table is emptied. */
const truncating = `
  if TG_OP = 'TRUNCATE' then
    perform set_config('lockstep.truncating', case TG_WHEN when 'BEFORE' then 'on' else 'off' end, true);
    if TG_WHEN = 'AFTER' then
      return null;
    end if;
  end if;`;

/** Runs a statement made from the shape. */
function executed(statement: string, name: string): string {
  const uses = (place: string): boolean => statement.includes(`(${place}).*`);
  const rows = uses("$2") ? ` using ${uses("$1") ? "new" : "old"}, old` : uses("$1") ? " using new" : "";
  return `execute format(${quoteText(statement)}, shape.fingerprint, shape.key_cells, shape.cells, shape.key_same, ${name})${rows};`;
}

/** Chooses the statement of a firing, and says how many rows it wrote. */
function choice(isRow: boolean, statements: FiringStatements, run: (statement: string) => string): string {
  const { truncate, row, rowAgain, statement, statementAgain } = statements;
  const write = (one: string): string => `${run(one)}
      get diagnostics written = row_count;`;
  // Two questions: a row that is written is not held up by one of a table.
  const ofRows = ({ few, many }: OfRows): string => `${write(few)}
      if written = 0 then
        if exists (select from ${transitionTable}) then
          ${write(many)}
        end if;
      end if;`;
  const branch = (operation: keyof ByOperation): string => `if again then
      ${isRow ? write(rowAgain[operation]) : ofRows(statementAgain[operation])}
      else
      ${isRow ? write(row[operation]) : ofRows(statement[operation])}
      end if;`;
  // Of a statement's rows the row trigger sees those whose key changed, before the statement's trigger sees them all.
  const keyChange = isRow ? "" : `elsif TG_LEVEL = 'ROW' then\n      ${write(row.UPDATE)}\n    `;
  return `    if TG_OP = 'TRUNCATE' then
      ${write(truncate)}
    ${keyChange}elsif TG_OP = 'INSERT' then
      ${branch("INSERT")}
    elsif TG_OP = 'UPDATE' then
      ${branch("UPDATE")}
    else
      ${branch("DELETE")}
    end if;`;
}

/**
 * Makes the function. It writes with its owner's rights: whoever may write to the table needs none on Lockstep's schema. Nobody else may put it on a
 * table of his own. Pure.
 */
export function createFunction(name: string, body: string): string {
  return `create or replace function ${name}() returns trigger language plpgsql security definer
${textSettings} set row_security = off as ${quoteBody(body, "lockstep_capture")};
revoke all on function ${name}() from public;`;
}

/** A table's quoted name. */
export function nameOf({ namespace, name }: Pick<TriggerTable, "namespace" | "name">): string {
  return `${quoteName(namespace)}.${quoteName(name)}`;
}
