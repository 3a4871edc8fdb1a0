import { passBlindWrite } from "./blind-writes.js";
import type { CaptureRules } from "./capture-rules.js";
import type { Captured } from "./session.js";
import type { StructuredResult } from "./typeorm-internals.js";

/** A write to a view or a foreign table, through an entity that maps it as a table. */
export async function sendUncaptured(
  rules: CaptureRules,
  path: string,
  send: () => Promise<StructuredResult>,
): Promise<Captured> {
  passBlindWrite(rules, rules.bulkWrites === "error", [path], "a write to something that is no table");
  return { result: await send(), notes: [] };
}
