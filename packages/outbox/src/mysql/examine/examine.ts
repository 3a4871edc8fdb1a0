import type { Finding } from "@lockstep/core";
import { connectionsTo, type MysqlConnection } from "../connections.js";
import { tableNames } from "../ddl.js";
import { type MysqlOutboxOptions, outboxPlace } from "../outbox-place.js";
import { examineIsolation } from "./isolation.js";
import { examineClock, examineServer, type Look } from "./server.js";
import { examineTables } from "./tables.js";
import { watchWrites } from "./watch-writes.js";

/** What is examined and how long. */
export interface MysqlExamineOptions extends MysqlOutboxOptions {
  readonly connection: MysqlConnection;
  /** How the source is captured. */
  readonly capture: "subscriber" | "trigger" | "binlog";
  /** Compare, for so many milliseconds, what the server counted with what the outbox got. Default 0: not at all. At most 50,000. */
  readonly windowMs?: number;
}

/**
 * Whether this source, as it is set up, can be captured without loss; with a window also whether it *is*.
 * @throws LockstepError SOURCE_UNAVAILABLE, OUTBOX_MISSING.
 */
export async function examineMysql(options: MysqlExamineOptions): Promise<readonly Finding[]> {
  const { capture, windowMs = 0 } = options;
  const connections = connectionsTo(options.connection);
  const look: Look = { connections, names: tableNames(options), place: outboxPlace(options), capture };
  try {
    const findings = [
      await examineClock(look),
      ...(await examineServer(look)),
      ...(await examineTables(look)),
      ...(await examineIsolation(look)),
    ];
    if (capture === "trigger") findings.push(truncatesUnseen);
    if (windowMs > 0) findings.push(...(await watchWrites(look, windowMs)));
    return findings;
  } finally {
    await connections.close();
  }
}

/** Nothing in the server tells that it happened. */
const truncatesUnseen: Finding = {
  check: "capture.truncate",
  level: "warning",
  subject: "source",
  message:
    "TRUNCATE fires no trigger here: only the application's own is refused, another program's empties a table unseen",
  advice:
    "Let other programs use DELETE (TRUNCATE needs the DROP privilege: take it from them); after one, repair the table.",
};
