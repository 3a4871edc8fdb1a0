import { LockstepError } from "@lockstep/core";

/** A lane's coordinates. */
export interface LaneAddress {
  readonly source: string;
  readonly target: string;
  readonly partition: number;
}

// Names never hold it (checked when the fleet is made), so ids can be taken apart again.
export const separator = "~";

/** How a lane is named in URLs: `<source>~<target>~<partition>`. */
export function laneIdOf({ source, target, partition }: LaneAddress): string {
  return [source, target, partition].join(separator);
}

/** @throws LockstepError LANE_UNKNOWN when the text can't be a lane's id. */
export function parseLaneId(text: string): LaneAddress {
  const [source, target, partition, ...more] = text.split(separator);
  if (source && target && partition && more.length === 0 && /^\d{1,4}$/.test(partition)) {
    return { source, target, partition: Number(partition) };
  }
  throw new LockstepError("LANE_UNKNOWN", "a lane's id has the form <source>~<target>~<partition>");
}

/** How a job is named in URLs: `<source>~<id in the source>`. */
export function jobIdOf(source: string, id: string): string {
  return `${source}${separator}${id}`;
}

/** @throws LockstepError JOB_UNKNOWN when the text can't be a job's id, or names no source. */
export function parseJobId(
  text: string,
  { sources }: { readonly sources: readonly { readonly name: string }[] },
): { readonly source: string; readonly id: string } {
  const [source, id, ...more] = text.split(separator);
  if (sources.some(({ name }) => name === source) && id && more.length === 0) return { source: source!, id };
  throw new LockstepError("JOB_UNKNOWN", "a job's id has the form <source>~<id>");
}

/** How a letter is named in URLs: `<target>~<id in the target>`. */
export function letterIdOf(target: string, id: string): string {
  return `${target}${separator}${id}`;
}

/** @throws LockstepError LETTER_UNKNOWN when the text can't be a letter's id. */
export function parseLetterId(text: string): { readonly target: string; readonly id: string } {
  const at = text.indexOf(separator);
  if (at > 0 && at < text.length - 1) return { target: text.slice(0, at), id: text.slice(at + 1) };
  throw new LockstepError("LETTER_UNKNOWN", "a dead letter's id has the form <target>~<id>");
}

/** @throws LockstepError CONFLICT_UNKNOWN when the text can't be a conflict's id: `<target>~<id in the target>`. */
export function parseConflictId(text: string): { readonly target: string; readonly id: string } {
  const [target, id, ...more] = text.split(separator);
  if (target && id && more.length === 0) return { target, id };
  throw new LockstepError("CONFLICT_UNKNOWN", "a conflict's id has the form <target>~<id>");
}
