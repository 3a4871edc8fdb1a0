import { LockstepError } from "@lockstep/core";
import type { CaptureSource, SourceCapture } from "../source-capture.js";
import { mysqlBinlogLog } from "./binlog-log.js";
import { binlogProblems } from "./binlog-needs.js";

/**
 * Capture by the binlog: the server writes it anyway, so nothing is put into the database and nothing is done in the application.
 * @throws LockstepError CONFIG_INVALID when the source is PostgreSQL.
 */
export function binlogCapture(source: CaptureSource): SourceCapture {
  if (source.engine !== "mysql") {
    throw new LockstepError("CONFIG_INVALID", 'capture: "binlog" is for MySQL and MariaDB; use "wal"');
  }
  const { name, connection, outbox, logger, foreignKeyActions } = source;
  const accepted = foreignKeyActions === undefined ? {} : { foreignKeyActions };
  return {
    kind: "binlog",
    plan: async (run, tables) => ({
      findings: await binlogProblems(run, tables, foreignKeyActions),
      statements: [],
    }),
    removal: async () => [],
    changeLog: () =>
      mysqlBinlogLog({
        connection,
        source: name,
        logger,
        ...(outbox.prefix !== undefined && { prefix: outbox.prefix }),
        ...accepted,
      }),
  };
}
