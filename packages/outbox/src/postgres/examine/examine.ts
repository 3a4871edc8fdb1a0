import { setTimeout } from "node:timers/promises";
import type { Finding } from "@lockstep/core";
import { connectionsTo, type PostgresConnection } from "../connections.js";
import { outboxNames, type PostgresOutboxOptions } from "../outbox-names.js";
import { examineClock, examineOutbox, examineServer, type Look } from "./server.js";
import { examineTables } from "./tables.js";
import { examineLog } from "./log.js";
import { watchWrites } from "./watch-writes.js";

/** What is examined and how long. */
export interface PostgresExamineOptions extends PostgresOutboxOptions {
  readonly connection: PostgresConnection;
  /** How the source is captured. */
  readonly capture: "subscriber" | "trigger" | "wal";
  /** Compare, for so many milliseconds, what the database counted with what was captured. Default 0: not at all. At most 50,000. */
  readonly windowMs?: number;
  /**
   * Count by triggers of the doctor's own, made for the window and removed behind it, instead of by the server's statistics: names every
   * transaction that went past capture, and needs the right to make triggers. Default false.
   */
  readonly exact?: boolean;
  /** How long behind the window the server's statistics are waited for: a session that falls idle tells its own after ten seconds. Default 10,500. */
  readonly settleMs?: number;
  /** Lets time pass, ms. Default: by the clock. */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/**
 * Whether this source, as it is set up, can be captured without loss; with a window also whether it *is*.
 * @throws LockstepError SOURCE_UNAVAILABLE, OUTBOX_MISSING.
 */
export async function examinePostgres(options: PostgresExamineOptions): Promise<readonly Finding[]> {
  const { capture, windowMs = 0, exact = false, settleMs = 10_500, sleep = setTimeout } = options;
  const connections = connectionsTo(options.connection, "lockstep doctor");
  const look: Look = { connections, ...outboxNames(options), capture };
  try {
    const findings = [
      await examineClock(look),
      ...(await examineServer(look)),
      ...(await examineOutbox(look)),
    ];
    findings.push(...(await examineTables(look)));
    if (capture === "wal") findings.push(...(await examineLog(look)));
    if (windowMs > 0) findings.push(...(await watchWrites(look, { windowMs, exact, settleMs, sleep })));
    return findings;
  } finally {
    await connections.close();
  }
}
