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
  const parts = { letter: line[0] ?? "", key: line.slice(1, tab) };
  return tab + 1 === line.length ? parts : { ...parts, image: line.slice(tab + 1) };
}

/**
 * The changes one by one. Pure.
 * @throws LockstepError `STREAM_ENTRY_INVALID` when the lines aren't what is said of them.
 */
export function unpackChanges(packed: PackedChanges): ChangeEvent[] {
  return changesOfLines(packed.lines.split("\n"), packed);
}

/** The same, of lines that are split already. */
export function changesOfLines(
  lines: readonly string[],
  { ordinal, count, schema }: Omit<PackedChanges, "lines">,
): ChangeEvent[] {
  if (lines.length !== count) throw damaged();
  return lines.map((line, i) => {
    const { letter, key, image } = partsOfLine(line);
    const op = opOfLetter(letter);
    if (op === undefined) throw damaged();
    const change = { ordinal: ordinal - count + 1 + i, op, schema, key };
    return image === undefined ? change : { ...change, image };
  });
}

function damaged(): LockstepError {
  return new LockstepError("STREAM_ENTRY_INVALID", "packed changes are damaged");
}
