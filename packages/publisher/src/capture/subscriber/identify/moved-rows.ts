import type { RowNote } from "@lockstep/core";
import type { Captured } from "../session.js";
import type { StructuredResult } from "../typeorm-internals.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { insertedValues } from "./inserted-values.js";
import { moved, replaced } from "./key-update.js";
import { fills, type Locator, locator, lookUp } from "./look-up.js";

type Identification = (write: BuilderWrite, statement: WriteStatement) => Promise<Captured>;

/**
 * True when an upsert may change the primary key of a row that it meets, or what foreign keys follow: it overwrites such a column, and it
 * meets rows by another unique key, or by the same one as the database compares it ('a' = 'A '). TypeORM's own `upsert()` overwrites every
 * column that it is given.
 */
export function movesRows(write: BuilderWrite): boolean {
  const { keys, table } = write.table;
  const columns = overwritten(write);
  return (
    keys.some(({ name }) => columns.includes(name)) ||
    (columns.length > 0 && write.rules.tables.cascades.follow(table, { kind: "update", columns }))
  );
}

/** Looks for the rows that an upsert will meet, and locks them, so that their keys of before are known, and the rows that change along. */
export function withMovedRows(write: BuilderWrite, identification: Identification): Identification {
  return async (_, statement) => {
    const locators = locatorsOf(write);
    if (!locators) write.refuse("an upsert that overwrites primary keys");
    const before = await lookUp(write, locators ?? [], " FOR UPDATE");
    const along = await cascaded(write, before);
    const { result, notes } = await identification(write, statement);
    // A row that came between the two statements: its key of before is gone.
    if (locators && updatesOf(write, result, notes) > before.length) {
      write.lost("an upsert that overwrites the primary key of a row inserted at the same time");
    }
    if (before.length === 0) return { result, notes };
    const after = notes.map(({ key }) => key);
    const moves = setsOf(write) === 1 ? moved(write, before, after) : replaced(write, before, after);
    return { result, notes: [...along, ...moves, ...(await cascaded(write, after))] };
  };
}

/** The rows that foreign keys change along with these. */
async function cascaded(write: BuilderWrite, keys: readonly (readonly string[])[]): Promise<RowNote[]> {
  const { table } = write.table;
  const change = { kind: "update", columns: overwritten(write) } as const;
  const { cascades } = write.rules.tables;
  if (keys.length === 0 || !cascades.follow(table, change)) return [];
  return cascades.notes((sql, parameters = []) => write.select(sql, parameters), { table, keys, change });
}

/** The columns of a row that an upsert may give other values. */
function overwritten(write: BuilderWrite): string[] {
  const { onUpdate, onConflict = "" } = write.builder.expressionMap;
  if (onUpdate === undefined && onConflict === "") return [];
  const { keys, exactKeys } = write.table;
  // Hand-written: only its keys matter, and any mention of one may set it.
  if (/\bDO\s+UPDATE\b/i.test(onConflict)) {
    const set = onConflict.replace(/^.*?\bSET\b/is, "");
    return keys.flatMap(({ name }) => (set.includes(name) ? [name] : []));
  }
  const conflicts = conflictsOf(write);
  return [...new Set([...(onUpdate?.overwrite ?? []), ...(onUpdate?.columns ?? [])])].filter(
    (name) => !(exactKeys.has(name) && conflicts?.every((columns) => columns.includes(name))),
  );
}

/** The unique keys by which an upsert meets rows; `undefined` when they aren't known. */
function conflictsOf({ builder, engine, table }: BuilderWrite): readonly (readonly string[])[] | undefined {
  if (engine === "mysql") return table.mysql?.uniqueKeys;
  const conflict = builder.expressionMap.onUpdate?.conflict;
  return Array.isArray(conflict) ? [conflict as string[]] : undefined;
}

function locatorsOf(write: BuilderWrite): Locator[] | undefined {
  const conflicts = conflictsOf(write);
  if (!conflicts || write.builder.expressionMap.insertFromSelect) return undefined;
  const counted = write.table.mysql?.autoIncrement;
  const sets = insertedValues(write);
  // A NULL meets no row, and neither does a counted id; what a default or an expression gives isn't known.
  const unseen = sets.some((set) =>
    conflicts.flat().some((name) => set.get(name) === undefined && name !== counted),
  );
  if (unseen) return undefined;
  return sets.flatMap((set) =>
    conflicts.filter((columns) => fills(set, columns)).map((columns) => locator(columns, set)),
  );
}

/** How many rows an upsert has updated at least: PostgreSQL says it row by row, MySQL counts an update twice. */
function updatesOf(write: BuilderWrite, result: StructuredResult, notes: readonly RowNote[]): number {
  if (write.engine === "postgres") return notes.filter(({ op }) => op === "update").length;
  return (result.affected ?? 0) - setsOf(write);
}

function setsOf({ builder }: BuilderWrite): number {
  const { valuesSet } = builder.expressionMap;
  return Array.isArray(valuesSet) ? valuesSet.length : 1;
}
