import { LockstepError, type RowNote, type RunStatement } from "@lockstep/core";
import { openTransactionsOfOthers } from "@lockstep/outbox/mysql";
import { seenThroughTriggers } from "../foreign-key-actions.js";
import { installAlone } from "../install-alone.js";
import type { CaptureSource, SourceCapture } from "../source-capture.js";
import { commentWrites } from "../trace/comment-writes.js";
import { watchedLog } from "../watched-log.js";
import { mysqlBinlogLog } from "./binlog-log.js";
import { binlogHandOver } from "./hand-over.js";
import { binlogProblems } from "./binlog-needs.js";

/**
 * Capture by the binlog: the server writes it anyway, so nothing is put into the database and nothing is done in the application; but for triggers that
 * write what foreign keys change into the outbox, where they are asked for: it is read from the same log (PROTOCOL.md 27).
 * @throws LockstepError CONFIG_INVALID when the source is PostgreSQL.
 */
export function binlogCapture(source: CaptureSource): SourceCapture {
  if (source.engine !== "mysql") {
    throw new LockstepError("CONFIG_INVALID", 'capture: "binlog" is for MySQL and MariaDB; use "wal"');
  }
  const { name, connection, outbox, logger, foreignKeyActions: actions = "refuse" } = source;
  const triggers = seenThroughTriggers(source, { actions, by: "the log" });
  const plan = async (run: RunStatement, tables: readonly RowNote["table"][]) => {
    const problems = await binlogProblems(run, tables);
    const { findings, ...rest } = await triggers.plan(run, tables);
    return { findings: [...problems, ...findings], ...rest };
  };
  return {
    kind: "binlog",
    plan,
    inTheWay: openTransactionsOfOthers,
    alone: installAlone,
    removal: (run) => triggers.removal(run),
    trace: commentWrites,
    handOver: binlogHandOver(outbox),
    changeLog() {
      const log = mysqlBinlogLog({
        connection,
        source: name,
        logger,
        problems: async (run, tables) => (await plan(run, tables)).findings,
        ...outbox,
      });
      return watchedLog(log, source, plan);
    },
  };
}
