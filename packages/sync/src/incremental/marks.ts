import type { ChangeKind, ChangeMark } from "@lockstep/core";

/** What the source says of a mark. */
export type MarkState = "ended" | "open" | "unseen";

/**
 * Whether nothing can be written any more that lies below the mark. Where the source doesn't show its transactions, the overlap has to cover them: a time has it
 * subtracted already, a number must be so old. Pure.
 */
export function isSettled(
  mark: ChangeMark,
  state: MarkState,
  { kind, overlapMs }: { readonly kind: ChangeKind; readonly overlapMs: number },
  now: number,
): boolean {
  if (state !== "unseen") return state === "ended";
  return kind !== "number" || mark.at + overlapMs <= now;
}

const maxMarks = 32;

/** Not too many of them: any may be left out, which only means that more is read again. The oldest and the newest stay. Pure. */
export function thinned(marks: readonly ChangeMark[]): readonly ChangeMark[] {
  if (marks.length <= maxMarks) return marks;
  return marks.filter((_, i) => i % 2 === 0 || i === marks.length - 1);
}
