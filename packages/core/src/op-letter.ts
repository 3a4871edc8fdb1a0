import type { Op } from "./change-event.js";

/** The letter that stands for an op wherever changes are texts: in the outbox and in entries. */
export const letterOf = {
  insert: "i",
  update: "u",
  delete: "d",
  snapshot: "s",
  truncate: "t",
  barrier: "b",
} as const satisfies Record<Op, string>;

const opOf = new Map<string, Op>(Object.entries(letterOf).map(([op, letter]) => [letter, op as Op]));

/** The op that a letter stands for. */
export function opOfLetter(letter: string): Op | undefined {
  return opOf.get(letter);
}
