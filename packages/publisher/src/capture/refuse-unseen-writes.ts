import { setTimeout as sleep } from "node:timers/promises";
import { type CaptureKind, LockstepError, type OutboxWriter, type RunStatement } from "@lockstep/core";
import { examineMysql, examinePostgres } from "@lockstep/outbox";
import type { CaptureSource } from "./source-capture.js";

/**
 * Watches for a while whether every write is seen by subscriber capture, as long as the capture before it sees them too: a process that was not started
 * with it would lose its changes afterwards. A window proves nothing of what it didn't see.
 * @throws LockstepError CAPTURE_UNSEEN_WRITES, naming the tables.
 */
export async function refuseUnseenWrites(
  source: CaptureSource,
  { run, writer }: { readonly run: RunStatement; readonly writer: Pick<OutboxWriter, "handOver"> },
  from: CaptureKind,
  windowMs: number,
): Promise<void> {
  const tables =
    from === "trigger" ? await byTriggers(run, writer, windowMs) : await byDatabase(source, windowMs);
  if (tables.length === 0) return;
  throw new LockstepError(
    "CAPTURE_UNSEEN_WRITES",
    `written to while it was looked, and not seen by "subscriber": ${tables.join(", ")}`,
    { details: { tables } },
  );
}

async function byTriggers(
  run: RunStatement,
  { handOver }: Pick<OutboxWriter, "handOver">,
  windowMs: number,
): Promise<readonly string[]> {
  await sleep(windowMs);
  return handOver.seenByTriggersAlone(run, windowMs);
}

/** Where the log is read, what the database itself counted is held against what processes wrote: on PostgreSQL each transaction. */
async function byDatabase(source: CaptureSource, windowMs: number): Promise<readonly string[]> {
  const findings =
    source.engine === "postgres"
      ? await examinePostgres({
          connection: source.connection,
          capture: "subscriber",
          windowMs,
          exact: true,
          ...source.outbox,
        })
      : await examineMysql({
          connection: source.connection,
          capture: "subscriber",
          windowMs,
          ...source.outbox,
        });
  return findings
    .filter(({ check, level }) => check === "capture.coverage" && level === "error")
    .map(({ subject }) => subject);
}
