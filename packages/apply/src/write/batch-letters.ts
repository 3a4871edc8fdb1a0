import { type DeadLetter, type LetterState, liveLetterStates, type RowImage, tableId } from "@lockstep/core";
import { type RowId, rowId, type Segment } from "../batch/planned-changes.js";
import type { Untaken } from "./lay-over-letters.js";
import type { StepRoom } from "./step-room.js";

const keysPerLookup = 1000;
const pageSize = 500;

/** The live letters that a batch meets. */
export interface MetLetters {
  /** By row. */
  readonly letters: ReadonlyMap<RowId, DeadLetter>;
  /** What the target never took of these rows. */
  readonly untaken: ReadonlyMap<RowId, Untaken>;
}

const nothingMet: MetLetters = { letters: new Map(), untaken: new Map() };

/** Looks up the live letters of a batch's keys, before anything of it is written (PROTOCOL.md 14). */
export async function meetLetters(room: StepRoom, segments: readonly Segment[]): Promise<MetLetters> {
  if (room.live.none) return nothingMet;
  const rows = rowsOf(segments, room);
  const keys = [...rows.values()];
  const letters = new Map<RowId, DeadLetter>();
  for (let i = 0; i < keys.length; i += keysPerLookup) {
    const found = await room.letters.find(keys.slice(i, i + keysPerLookup));
    for (const letter of found) letters.set(rowId(letter.table, letter.key), letter);
  }
  await addTruncated(room, segments, letters);
  const untaken = new Map<RowId, Untaken>();
  for (const [row, { id, op }] of letters) {
    const needed = op === "update" || rows.get(row)?.partial === true;
    if (needed) untaken.set(row, await untakenOf(room, id));
  }
  return { letters, untaken };
}

interface Asked {
  readonly table: string;
  readonly key: string;
  readonly partial: boolean;
}

/** The rows of a batch that may have a letter, under their keys now and before. */
function rowsOf(segments: readonly Segment[], { live }: StepRoom): Map<RowId, Asked> {
  const rows = new Map<RowId, Asked>();
  for (const { tables } of segments) {
    for (const { schema, writes, removes } of tables) {
      const table = tableId(schema);
      const ask = (key: string, partial: boolean): void => {
        const row = rowId(table, key);
        if (live.mayHave(row)) rows.set(row, { table, key, partial });
      };
      for (const { key, before, partial } of writes) {
        ask(key, partial);
        if (before !== undefined) ask(before, partial);
      }
      for (const { key } of removes) ask(key, false);
    }
  }
  return rows;
}

async function untakenOf(room: StepRoom, id: string): Promise<Untaken> {
  const letter = await room.letters.get(id);
  if (letter?.image === undefined) return {};
  room.tables.require([letter.schema]);
  const before = letter.before === undefined ? {} : { before: letter.before };
  if (room.tables.problem(letter.schema)) return before;
  const schema = room.tables.schemaOf(letter.schema);
  return { ...before, image: { schema, image: JSON.parse(letter.image) as RowImage } };
}

// A truncate supersedes all letters of its table (PROTOCOL.md 25).
async function addTruncated(
  { letters: book, lane }: StepRoom,
  segments: readonly Segment[],
  letters: Map<RowId, DeadLetter>,
): Promise<void> {
  const tables = new Set(segments.flatMap(({ truncates }) => truncates.map(tableId)));
  const states: readonly LetterState[] = liveLetterStates;
  for (const table of tables) {
    let cursor: string | undefined;
    do {
      const page = { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) };
      const found = await book.list({ ...lane, table, states }, page);
      for (const letter of found.letters) letters.set(rowId(letter.table, letter.key), letter);
      cursor = found.next;
    } while (cursor !== undefined);
  }
}
