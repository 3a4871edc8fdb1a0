import { LockstepError } from "@lockstep/core";

/** A place in the server's log. */
export interface Place {
  /** Number at the end of the file's name. */
  readonly file: number;
  readonly offset: number;
}

/** Offsets of one file take this many bits of a tick: a terabyte. */
const offsetBits = 40n;

/** A transaction's tick: where its first event stands. Ticks are in the order of the log, and far apart. */
export function tickAt({ file, offset }: Place): bigint {
  return (BigInt(file) << offsetBits) + BigInt(offset);
}

/** The place that a tick stands for. */
export function placeOf(tick: bigint): Place {
  return { file: Number(tick >> offsetBits), offset: Number(tick & ((1n << offsetBits) - 1n)) };
}

/** Name of a log's files without their number, and the number. @throws LockstepError CAPTURE_LOG_UNREADABLE. */
export function splitFileName(name: string): { readonly base: string; readonly file: number } {
  const match = /^(.+)\.(\d+)$/.exec(name);
  if (!match) throw new LockstepError("CAPTURE_LOG_UNREADABLE", "the log's files have no numbers");
  return { base: match[1]!, file: Number(match[2]) };
}

/** Name of a file. */
export function fileName(base: string, file: number): string {
  return `${base}.${String(file).padStart(6, "0")}`;
}
