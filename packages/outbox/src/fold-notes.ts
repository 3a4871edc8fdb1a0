import type { RowNote } from "@lockstep/core";

/** One row that a flush looks at: what is known of it before the database is asked whether it exists now. */
export interface NotedRow {
  /** Place among all rows of the flush, from 1, in the order of last notes. Unique. */
  readonly order: number;
  /** True when the row did not exist before the transaction: if it doesn't exist now either, nothing is written. */
  readonly born: boolean;
  readonly key: readonly string[];
  /** The key under which the row existed before the transaction, when nothing lives there now. */
  readonly before?: readonly string[];
}

/** The rows of one table. */
export interface NotedTable {
  readonly namespace: string;
  readonly name: string;
  readonly rows: readonly NotedRow[];
}

/** A row followed through its key changes. */
interface Trace {
  key: readonly string[];
  lastNote: number;
  /** Keys that existed before the transaction and for which this row answers: its own, and those of rows it replaced. */
  readonly origins: Map<string, readonly string[]>;
}

interface TableTraces {
  readonly table: RowNote["table"];
  /** By current key. */
  readonly traces: Map<string, Trace>;
  /** Keys that existed before the transaction and that a row has left. */
  readonly left: Set<string>;
}

type Unnumbered = Omit<NotedRow, "order"> & { order: number };

/**
 * The distinct rows behind a transaction's notes, by table. Pure.
 *
 * A row is followed through key changes. What is left for the database to say is whether it exists now: then its image is
 * written, else a delete of the key it had before the transaction. A key that was left and taken again is no longer `before` of
 * anything: both rows are written as they are now, so that applying them in order never moves the wrong row.
 */
export function foldNotes(notes: readonly RowNote[]): NotedTable[] {
  const isMoved = notes.some(({ before }) => before !== undefined);
  const folded = isMoved ? foldMoved(notes) : foldUnmoved(notes);
  // Where each note is a row, their numbers are those of the notes.
  if (isMoved || rowsIn(folded) < notes.length) number(folded.flatMap((table) => table.rows));
  return folded;
}

interface UnnumberedTable extends NotedTable {
  readonly rows: Unnumbered[];
}

/** Nearly always no key has changed: each key is a row, and nothing is to be followed. */
function foldUnmoved(notes: readonly RowNote[]): UnnumberedTable[] {
  const tables = new Map<string, { table: RowNote["table"]; rows: Map<string, Unnumbered> }>();
  let order = 0;
  for (const { table, op, key } of notes) {
    order++;
    const id = idOf(table);
    let of = tables.get(id);
    if (!of) tables.set(id, (of = { table, rows: new Map() }));
    const text = key.length === 1 ? key[0]! : JSON.stringify(key);
    const row = of.rows.get(text);
    if (row) row.order = order;
    else of.rows.set(text, { order, born: op === "insert", key });
  }
  return [...tables.values()].map(({ table: { namespace, name }, rows }) => ({
    namespace,
    name,
    rows: [...rows.values()],
  }));
}

function foldMoved(notes: readonly RowNote[]): UnnumberedTable[] {
  const tables = new Map<string, TableTraces>();
  notes.forEach((note, index) => {
    const id = idOf(note.table);
    let table = tables.get(id);
    if (!table) tables.set(id, (table = { table: note.table, traces: new Map(), left: new Set() }));
    follow(table, note, index);
  });
  return [...tables.values()].map(({ table: { namespace, name }, traces }) => ({
    namespace,
    name,
    rows: [...traces.values()].flatMap((trace) => rowsOf(trace, traces)),
  }));
}

function idOf({ namespace, name }: RowNote["table"]): string {
  return `${namespace}\u0000${name}`;
}

function follow({ traces, left }: TableTraces, note: RowNote, index: number): void {
  const id = JSON.stringify(note.key);
  const from = note.before === undefined ? id : JSON.stringify(note.before);
  const trace = traces.get(from) ?? firstSeen(note, from);
  trace.lastNote = index;
  trace.key = note.key;
  if (from !== id) {
    for (const origin of trace.origins.keys()) left.add(origin);
    // A row that was here was deleted in this transaction: the newcomer answers for its keys.
    for (const [origin, key] of traces.get(id)?.origins ?? []) trace.origins.set(origin, key);
    traces.delete(from);
  }
  if (left.has(id)) trace.origins.set(id, note.key);
  traces.set(id, trace);
}

function firstSeen(note: RowNote, from: string): Trace {
  const existed = note.op !== "insert" || note.before !== undefined;
  const key = note.before ?? note.key;
  return { key, lastNote: 0, origins: new Map(existed ? [[from, key]] : []) };
}

function rowsOf({ key, lastNote, origins }: Trace, traces: ReadonlyMap<string, Trace>): Unnumbered[] {
  const id = JSON.stringify(key);
  const gone = [...origins].filter(([origin]) => !traces.has(origin)).map(([, text]) => text);
  const [before] = gone;
  if (before !== undefined && origins.size === 1) return [{ order: lastNote, born: false, key, before }];
  const vacated = gone.map((text) => ({ order: lastNote, born: false, key: text }));
  return [...vacated, { order: lastNote, born: !origins.has(id), key }];
}

/** The rows of `tables` in parts of at most `size`, in their order across tables: a flush reads and holds one part at a time. Pure. */
export function partsOf(tables: readonly NotedTable[], size: number): (readonly NotedTable[])[] {
  if (rowsIn(tables) <= size) return tables.length === 0 ? [] : [tables];
  const parts: NotedTable[][] = [];
  for (const { namespace, name, rows } of tables) {
    const byPart = new Map<number, NotedRow[]>();
    for (const row of rows) {
      const part = Math.ceil(row.order / size) - 1;
      const mine = byPart.get(part);
      if (mine) mine.push(row);
      else byPart.set(part, [row]);
    }
    for (const [part, mine] of byPart) (parts[part] ??= []).push({ namespace, name, rows: mine });
  }
  return parts;
}

function rowsIn(tables: readonly NotedTable[]): number {
  return tables.reduce((sum, { rows }) => sum + rows.length, 0);
}

/** Rows of a flush's part. */
export const rowsPerPart = 500;

function number(rows: Unnumbered[]): void {
  rows.sort((a, b) => a.order - b.order).forEach((row, index) => (row.order = index + 1));
}
