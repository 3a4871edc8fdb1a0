import type { Session } from "../session/session.js";
import { quoteName } from "../sql/literal.js";
import type { ForeignKey } from "../tables/foreign-keys.js";
import { storedText, writeStored } from "../tables/stored-text.js";
import type { TablePlan } from "../tables/mysql-table.js";
import { withChildren } from "./cascades.js";
import { overKeys } from "./key-match.js";

/** A row of a self-referencing table as it is stored in the target. */
export interface StoredRow {
  /** Its primary key as texts of the server, one text for all. */
  readonly key: string;
  /** Condition that finds it. */
  readonly match: string;
  /** What its self-references can be pointed at by, and what they point to; comparable texts. */
  readonly ids: readonly string[];
  readonly points: readonly string[];
}

/** Reads those of the rows that exist, locking them. */
export async function storedRows(
  session: Session,
  plan: TablePlan,
  keys: readonly string[],
): Promise<readonly StoredRow[]> {
  const names = new Set([
    ...plan.key.map((column) => column.name),
    ...plan.selfKeys.flatMap((key) => [...key.columns, ...key.parentColumns]),
  ]);
  const columns = [...names].map((name) => plan.catalog.columns.get(name.toLowerCase())!);
  const list = columns
    .map((column) => `${storedText(column, quoteName(column.name))} AS ${quoteName(column.name)}`)
    .join(",");
  const stored: StoredRow[] = [];
  const statement = { head: `SELECT ${list} FROM ${plan.table} WHERE`, tail: " FOR UPDATE" };
  for (const sql of overKeys(plan, keys, session.flavour.maxPacketBytes, statement)) {
    for (const row of await session.rows(sql)) stored.push(storedRow(plan, row));
  }
  return stored;
}

/** Stored keys of rows that point to these rows by one self-reference; at most `limit`. */
export async function storedChildren(
  session: Session,
  plan: TablePlan,
  keys: readonly string[],
  reference: ForeignKey,
  limit: number,
): Promise<readonly string[]> {
  const list = plan.key
    .map((column) => `${storedText(column.target, `c.${column.quoted}`)} AS ${column.quoted}`)
    .join(",");
  const head = `SELECT ${list} FROM ${withChildren(plan, reference)} WHERE`;
  const found: string[] = [];
  const statement = { head, tail: ` LIMIT ${limit} LOCK IN SHARE MODE`, of: "p." };
  for (const sql of overKeys(plan, keys, session.flavour.maxPacketBytes, statement)) {
    for (const row of await session.rows(sql)) found.push(keyOf(plan, row));
  }
  return found;
}

type Printed = Readonly<Record<string, string | null>>;

function storedRow(plan: TablePlan, row: Printed): StoredRow {
  const texts = (columns: readonly string[], of: string): readonly string[] => {
    const cells = columns.map((name) => row[name] ?? null);
    return cells.includes(null) ? [] : [JSON.stringify([of, ...cells])];
  };
  return {
    key: keyOf(plan, row),
    match: plan.key
      .map((column) => `${column.quoted}=${writeStored(column.target)(row[column.name]!)}`)
      .join(" AND "),
    ids: plan.selfKeys.flatMap((key) => texts(key.parentColumns, key.name)),
    points: plan.selfKeys.flatMap((key) => texts(key.columns, key.name)),
  };
}

function keyOf(plan: TablePlan, row: Printed): string {
  return JSON.stringify(plan.key.map((column) => row[column.name]));
}
