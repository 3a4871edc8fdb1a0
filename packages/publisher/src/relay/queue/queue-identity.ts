import { createHash } from "node:crypto";
import type { RegisteredTarget } from "@lockstep/core";

/** No database's address has a space in it. */
export const queueAddress = "bullmq queue ";

/** True for the registration of a queue: it holds the source's events back, but reads no stream. */
export function isQueueTarget({ address }: Pick<RegisteredTarget, "address">): boolean {
  return address.startsWith(queueAddress);
}

/** The id under which a queue is registered as a target: the same in every process, in the form of a uuid. */
export function queueTargetId(source: string, queue: string): string {
  const hex = createHash("sha256")
    .update(JSON.stringify(["queue", source, queue]))
    .digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
