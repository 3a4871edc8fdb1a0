import type { ChangeEvent } from "./change-event.js";
import { LockstepError } from "./errors.js";
import { opOfLetter } from "./op-letter.js";

/** Stands for an op where a text is several changes. */
export const packLetter = "p";

/**
 * Several changes of one transaction and table, in their order, as the one text that the source wrote: a line for each, the letter of its op, its key, a tab, its
 * image if it has one. Keys and images are JSON, which has no tabs or line feeds of its own. None has a key from before or a version. On the way
 * from the source to a lane nothing is done for each of them.
 */
export interface PackedChanges {
  /** The last one's place in its tick; the others stand right before it. */
  readonly ordinal: number;
  readonly count: number;
  /** Fingerprint of the table schema that the images follow. */
  readonly schema: string;
  readonly lines: string;
}

/** One change, or several. */
export type Changes = ChangeEvent | PackedChanges;

/** Tells several from one. */
export function isPacked<T extends Changes>(changes: T): changes is Extract<T, PackedChanges> {
  return "lines" in changes;
}

/** How many there are. Pure. */
export function countOf(changes: Changes): number {
  return isPacked(changes) ? changes.count : 1;
}

/** A line of a text that packs, taken apart. Pure. */
export function partsOfLine(line: string): {
  readonly letter: string;
  readonly key: string;
  readonly image?: string;
} {
  const tab = line.indexOf("\t");
  const letter = line[0] ?? "";
  const key = line.slice(1, tab);
  return tab + 1 === line.length ? { letter, key } : { letter, key, image: line.slice(tab + 1) };
}

/**
 * The changes one by one. Pure.
 * @throws LockstepError `STREAM_ENTRY_INVALID` when the lines aren't what is said of them.
 */
export function unpackChanges({ lines, ordinal, count, schema }: PackedChanges): ChangeEvent[] {
  const each = lines.split("\n");
  if (each.length !== count) throw damaged();
  const first = ordinal - count + 1;
  return each.map((line, i) => changeOfLine(line, first + i, schema));
}

/**
 * The change of one line. Pure.
 * @throws LockstepError `STREAM_ENTRY_INVALID`
 */
export function changeOfLine(line: string, ordinal: number, schema: string): ChangeEvent {
  const { letter, key, image } = partsOfLine(line);
  const op = opOfLetter(letter);
  if (op === undefined) throw damaged();
  // Whole literals, here and wherever there is one for each change: on Node 20 an object that is another's copy and more (`{ ...change, image }`) gets a hidden
  // class of its own once the code is optimized, which takes 2 µs, and half of one again wherever it is read.
  return image === undefined ? { ordinal, op, schema, key } : { ordinal, op, schema, key, image };
}

function damaged(): LockstepError {
  return new LockstepError("STREAM_ENTRY_INVALID", "packed changes are damaged");
}
