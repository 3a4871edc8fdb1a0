import { createHash } from "node:crypto";

/** Twelve hex digits that stand for a text. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
