import { type Position, splitPosition } from "../position.js";

/** Digits of the largest unsigned 64-bit number. */
const wide = 20;

/** Where a lane of a sink is. */
export interface SinkPlace {
  readonly position: Position;
  readonly epoch: number;
  readonly restarts: number;
}

/**
 * What a store without transactions keeps with each row: the position that its step moved the checkpoint to, then the lane's epoch. An owner that was
 * fenced out can't tell (PROTOCOL.md 19), so its late writes lose by their lower version, at the same position by their lower epoch. A lane that began anew may be at lower positions than before: how
 * often it did comes first, behind a letter that sorts above all digits (nothing where it never did).
 */
export function sinkVersion({ position, epoch, restarts }: SinkPlace): string {
  const { tick, n } = splitPosition(position);
  const pad = (number: bigint | number): string => String(number).padStart(wide, "0");
  const generation = restarts === 0 ? "" : `g${pad(restarts)}-`;
  return `${generation}${pad(tick)}-${pad(n)}-${pad(epoch)}`;
}
