import type { ChangeLog } from "@lockstep/core";
import { mysqlChangeLog, postgresChangeLog } from "@lockstep/outbox";
import type { CaptureSource } from "./source-capture.js";

/** The outbox of a source as its relay reads it: the log of every capture that writes there. */
export function outboxLog(source: CaptureSource): ChangeLog {
  const { name, outbox, logger } = source;
  return source.engine === "postgres"
    ? postgresChangeLog({ connection: source.connection, source: name, ...outbox })
    : mysqlChangeLog({ connection: source.connection, source: name, logger, ...outbox });
}
