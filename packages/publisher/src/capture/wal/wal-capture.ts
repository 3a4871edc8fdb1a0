import { LockstepError, type RunStatement } from "@lockstep/core";
import { outboxNames, transactionsInTheWay } from "@lockstep/outbox/postgres";
import type { CaptureSource, SourceCapture } from "../source-capture.js";
import { walHandOver } from "./hand-over.js";
import { readFacts } from "./install/facts.js";
import { captureNames, type CaptureNames } from "./install/names.js";
import { makesSlot, planCapture, removeCapture } from "./install/plan.js";
import { traceTransactions } from "./trace/trace-transactions.js";
import { watchedLog } from "../watched-log.js";
import { postgresWalLog } from "./wal-log.js";

/**
 * Capture by the write-ahead log: the server writes it anyway; a publication says which tables are sent, a replication slot keeps what
 * is not applied yet.
 * @throws LockstepError CONFIG_INVALID when the source isn't PostgreSQL.
 */
export function walCapture(source: CaptureSource): SourceCapture {
  if (source.engine !== "postgres") {
    throw new LockstepError("CONFIG_INVALID", 'capture: "wal" is for PostgreSQL; use "binlog"');
  }
  const { name, connection, outbox, logger, wal: retention = {} } = source;
  const place = outboxNames(outbox);
  const { schema } = place;
  const plan: SourceCapture["plan"] = async (run, tables) => {
    const names = await namesIn(run, schema);
    return planCapture(await readFacts(run, { names, outbox: place }, tables), names, schema);
  };
  return {
    kind: "wal",
    plan,
    // What makes the slot waits for writers, all else for tables.
    inTheWay: (run, statement, tables) =>
      transactionsInTheWay(run, statement.includes(makesSlot) ? "writers" : tables),
    removal: async (run) => ({ statements: removeCapture(await namesIn(run, schema), schema) }),
    handOver: walHandOver(schema),
    changeLog: () =>
      watchedLog(postgresWalLog({ connection, source: name, ...outbox, retention, logger }), source, plan),
    trace: traceTransactions,
  };
}

async function namesIn(run: RunStatement, schema: string): Promise<CaptureNames> {
  const [row] = await run("select current_database()::text as name");
  return captureNames(String(row?.["name"]), schema);
}
