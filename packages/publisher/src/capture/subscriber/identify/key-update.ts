import type { RowNote } from "@lockstep/core";
import { keyParameter, keyPlaceholder, valuePlaceholder } from "../key-parameter.js";
import { readKey } from "../key-text.js";
import { quoteName, quoteTable } from "../quote.js";
import type { Captured } from "../session.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { returningKeys } from "./returning.js";
import { lockRows } from "./locked-rows.js";
import { type Assignment, assignedColumns } from "./assigned-columns.js";

/** An UPDATE that sets a key column: both the old and the new key are needed. */
export async function updateKeys(write: BuilderWrite, statement: WriteStatement): Promise<Captured> {
  const restricted = await lockRows(write, statement);
  const before = restricted.locked;
  if (write.driver.isReturningSqlSupported("update")) {
    const { result, notes } = await returningKeys("update")(write, restricted);
    return {
      result,
      notes: moved(
        write,
        before,
        notes.map((note) => note.key),
      ),
    };
  }
  const assigned = assignedColumns(write).filter(({ column }) =>
    write.table.keys.some(({ name }) => name === column),
  );
  if (before.length > 0 && assigned.some(({ to }) => "expression" in to())) {
    write.refuse("an UPDATE that computes primary keys");
  }
  const result = await write.execute(restricted.sql, restricted.parameters);
  return { result, notes: moved(write, before, await newKeys(write, before, assigned)) };
}

/** One row is a move; of several, which became which isn't known: the old ones are gone, the new ones are there. */
export function moved(
  write: BuilderWrite,
  before: readonly (readonly string[])[],
  after: readonly (readonly string[])[],
): RowNote[] {
  const [from, ...others] = before;
  const [to] = after;
  if (from && to && others.length === 0 && after.length === 1) {
    return [sameKey(from, to) ? write.note("update", to) : write.note("update", to, from)];
  }
  return replaced(write, before, after);
}

/** Which became which isn't known: the flush sees what is still there. */
export function replaced(
  write: BuilderWrite,
  before: readonly (readonly string[])[],
  after: readonly (readonly string[])[],
): RowNote[] {
  return [
    ...before.map((key) => write.note("delete", key)),
    ...after.map((key) => write.note("update", key)),
  ];
}

function sameKey(a: readonly string[], b: readonly string[]): boolean {
  return a.every((text, index) => text === b[index]);
}

/** Asks for the text of the keys after the update: the assigned columns by their values, the others as they were. */
async function newKeys(
  write: BuilderWrite,
  before: readonly (readonly string[])[],
  assigned: readonly Assignment[],
): Promise<string[][]> {
  const { table, engine } = write;
  const targets = new Map(assigned.map(({ column, to }) => [column, to()]));
  const after: string[][] = [];
  for (const old of before) {
    const conditions = table.keys.map((key, index) => {
      const to = targets.get(key.name);
      const name = quoteName(engine, key.name);
      return to && "value" in to
        ? { sql: `${name} = ${valuePlaceholder(key)}`, parameter: to.value }
        : { sql: `${name} = ${keyPlaceholder(key)}`, parameter: keyParameter(key, old[index]!) };
    });
    const rows = await write.select(
      `SELECT ${table.keyList} FROM ${quoteTable(engine, table.table)}
        WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}`,
      conditions.map(({ parameter }) => parameter),
    );
    after.push(...rows.map((row) => readKey(table.keys, row)));
  }
  return after;
}
