import { type Position, splitPosition } from "../position.js";

/** Digits of the largest unsigned 64-bit number. */
const wide = 20;

/**
 * What a store without transactions keeps with each row: the position that its step moved the checkpoint to, then the lane's epoch. An owner that was
 * fenced out can't tell (PROTOCOL.md 19), so its late writes lose by their lower version, at the same position by their lower epoch.
 */
export function sinkVersion(position: Position, epoch: number): string {
  const { tick, n } = splitPosition(position);
  const pad = (number: bigint | number): string => String(number).padStart(wide, "0");
  return `${pad(tick)}-${pad(n)}-${pad(epoch)}`;
}
