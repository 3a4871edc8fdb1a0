import type { RowNote } from "@lockstep/core";
import { readKey, stripKey } from "../key-text.js";
import type { Captured } from "../session.js";
import type { StructuredResult } from "../typeorm-internals.js";
import type { BuilderWrite, Write, WriteStatement } from "../write.js";

type Kind = "insert" | "update" | "delete";

/** Asks the statement itself for the keys of the rows it wrote: one more column in RETURNING, taken out of the result again. */
export function returningKeys(kind: Kind) {
  return async (write: BuilderWrite, { sql, parameters, returns }: WriteStatement): Promise<Captured> => {
    const { keys } = write.table;
    const tells = kind === "insert" && tellsUpdates(write);
    const updated = tells ? `, (xmax::text <> '0') AS ${updatedAlias}` : "";
    const asked = `${sql}${returns ? "," : " RETURNING"} ${write.table.keyList}${updated}`;
    const result = await write.execute(asked, parameters);
    const rows = result.records ?? [];
    const notes = rows.map((row) => write.note(opOf(kind, write, row), readKey(keys, row)));
    if (!returns) return { result: withoutRows(kind, write, result, notes), notes };
    for (const row of rows) {
      stripKey(keys, row);
      if (tells) delete row[updatedAlias];
    }
    return { result, notes };
  };
}

// An upsert may have updated: called "insert", a later delete in the same transaction would look like a row that never was.
function opOf(kind: Kind, { builder }: BuilderWrite, row: Readonly<Record<string, unknown>>): RowNote["op"] {
  const { onUpdate, onConflict } = builder.expressionMap;
  const upserts = kind === "insert" && (onUpdate !== undefined || Boolean(onConflict));
  return upserts && row[updatedAlias] !== false ? "update" : kind;
}

const updatedAlias = "lockstep_updated";

/** PostgreSQL: a row that ON CONFLICT has updated still carries the lock that it took on it. Rows of a partitioned table don't say. */
function tellsUpdates({ engine, builder, table }: BuilderWrite): boolean {
  return engine === "postgres" && !table.isPartitioned && builder.expressionMap.onUpdate !== undefined;
}

/** The result as it is without RETURNING. */
export function withoutRows(
  kind: Kind,
  write: Write,
  result: StructuredResult,
  notes: readonly RowNote[],
): StructuredResult {
  if (write.engine === "mysql") return okPacket(result, write, notes);
  const raw = kind === "insert" ? [] : [[], result.affected];
  return Object.assign(result, { raw, records: [] });
}

/** What MariaDB answers to a statement without RETURNING. */
function okPacket(result: StructuredResult, write: Write, notes: readonly RowNote[]): StructuredResult {
  const raw = {
    fieldCount: 0,
    affectedRows: notes.length,
    insertId: insertId(write, notes),
    info: "",
    serverStatus: 2,
    warningStatus: 0,
    changedRows: 0,
  };
  return Object.assign(result, { raw, records: [], affected: notes.length });
}

function insertId(write: Write, notes: readonly RowNote[]): number {
  const column = write.table.mysql?.autoIncrement;
  const index = write.table.keys.findIndex((key) => key.name === column);
  return Number((index >= 0 && notes[0]?.op !== "delete" && notes[0]?.key[index]) || 0);
}
