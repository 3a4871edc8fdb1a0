import { createHash } from "node:crypto";
import type { DueLetter } from "@lockstep/core";

/** Name and key prefix of the BullMQ queue that schedules a source's letters; the prefix is a hash tag, as Redis Cluster needs. */
export function letterQueue(source: string): { readonly name: string; readonly prefix: string } {
  return { name: "letters", prefix: `{lockstep:${source}}` };
}

/** The job of a letter at an attempt: the same for the same letter and attempt, so that scheduling twice is harmless. BullMQ forbids `:` and pure digits. */
export function letterJobId({ target, partition, letter, attempt }: DueLetter): string {
  const which = createHash("sha256")
    .update(JSON.stringify([target, partition, letter]))
    .digest("hex");
  return `letter-${which.slice(0, 24)}-${attempt}`;
}
