import { LockstepError } from "@lockstep/core";
import type { CaptureRules } from "./capture-rules.js";
import { type Statement, writtenTables } from "./statement.js";

/** Hand-written statements that were let through, and that capture could not see. */
export interface BlindWrites {
  count: number;
  /** Those already warned of: one line per kind and table, not per statement. */
  readonly warned: Set<string>;
}

/** What hand-written SQL is judged by. */
interface BlindWriteRules extends Pick<
  CaptureRules,
  "bulkWrites" | "onBlindWrite" | "logger" | "blindWrites"
> {
  readonly tables: Pick<CaptureRules["tables"], "named">;
}

/**
 * The tripwire: hand-written SQL that changes a captured table is refused or warned of, by name, before it is sent.
 * @throws LockstepError CAPTURE_BLIND_WRITE.
 */
export function refuseBlindWrites(rules: BlindWriteRules, statement: Statement, sql: string): void {
  const names = [...new Set(writtenTables(sql).flatMap((table) => rules.tables.named(table)))];
  if (names.length === 0) return;
  const truncates = statement.kind === "truncate";
  const what = truncates ? "TRUNCATE" : "hand-written SQL";
  const refused = truncates ? rules.bulkWrites === "error" : rules.onBlindWrite === "error";
  passBlindWrite(rules, refused, names, what);
}

/** Refuses a write whose rows can't be known, or warns of it and lets it through. @throws LockstepError CAPTURE_BLIND_WRITE. */
export function passBlindWrite(
  rules: Pick<CaptureRules, "logger" | "blindWrites">,
  refused: boolean,
  tables: readonly string[],
  what: string,
): void {
  if (refused) {
    throw new LockstepError("CAPTURE_BLIND_WRITE", `${what} on ${tables.join(", ")} is not captured`, {
      details: { tables },
    });
  }
  rules.blindWrites.count++;
  const once = `${what} ${tables.join(" ")}`;
  if (rules.blindWrites.warned.has(once)) return;
  rules.blindWrites.warned.add(once);
  rules.logger.warn({ tables, what }, "write not captured: targets will differ until they are repaired");
}
