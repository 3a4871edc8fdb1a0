import { quoteText } from "../quote.js";
import {
  type ByOperation,
  firingStatements,
  type FiringStatements,
  givenRows,
  jsonTexts,
  type OfRows,
  transitionTable,
} from "./statements.js";
import { nameOf, textsOf, type TriggerTable } from "./trigger-table.js";
import type { OutboxNames } from "../outbox-names.js";

const nestedName = (hash: string): string => `lockstep.nested_${hash}`;
/** The setting that says, until the transaction ends, that another trigger has written to the table. Pure. */
export const nestedSetting = (hash: string): string =>
  `pg_catalog.current_setting('${nestedName(hash)}', true)`;

/** What writes whatever a firing is about, under pinned settings; `written` says how many rows. */
export function exactly(
  names: OutboxNames,
  table: TriggerTable,
  hash: string,
): { readonly declare: string; readonly statements: string } {
  const { s } = names;
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
  const own = { ...textsOf(table), same: table.keySame, table: nameOf(table) };
  const made = {
    fingerprint: "%1$L",
    key: jsonTexts("%2$s"),
    image: jsonTexts("%3$s"),
    same: "%4$s",
    table: "%5$s",
  };
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
  return {
    declare: `shape ${s}.table_schema; written bigint; again boolean := ${table.isHalfSeen}; is_same boolean;`,
    statements: `if pg_trigger_depth() > 1 or ${nestedSetting(hash)} = 'on' then
    perform set_config('${nestedName(hash)}', 'on', true);
    again := true;
  end if;
  ${check}
  if is_same and ${named} then
${choice(isRow, firingStatements(names, own, { new: `${block}.new`, old: `${block}.old` }), (statement) => `${statement};`)}
  else
    shape := ${s}.shape_named(${current});
    if shape.key_cells = '' then
      raise exception 'table % has no primary key', ${current} using errcode = 'invalid_table_definition';
    end if;
${choice(isRow, firingStatements(names, made, givenRows), (statement) => executed(statement, current))}
  end if;`,
  };
}

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
