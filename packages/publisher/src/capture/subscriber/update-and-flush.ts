import type { CaptureRules } from "./capture-rules.js";
import { traced, transactionOf } from "./flush.js";
import { canSendTogether, sendTogether } from "./send-together.js";
import { sqlStateOf } from "./server-errors.js";
import type { RunnerInternals, StructuredResult } from "./typeorm-internals.js";
import type { RowNote } from "@lockstep/core";

/** An UPDATE of one row whose key its text names. */
export interface NamedUpdate {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly row: Pick<RowNote, "table" | "key">;
}

/**
 * Sends the update of one row, outside of any transaction, and writes the row as it is then to the outbox: in one message and one transaction.
 * `flushed` is false where it went without the outbox row.
 * @returns `undefined` when it can't be done so: nothing is done then.
 * @throws the driver's own error when the update fails; OUTBOX_WRITE_FAILED and the like when the outbox does.
 */
export async function updateAndFlush(
  { writer, runOwn }: Pick<CaptureRules, "writer" | "runOwn">,
  runner: RunnerInternals,
  { sql, parameters, row }: NamedUpdate,
): Promise<{ readonly result: StructuredResult; readonly flushed: boolean } | undefined> {
  if (!writer.appendUpdated || !(await canSendTogether(runner))) return undefined;
  const sent = await traced(true, async (span) => {
    const { moved, ...second } = writer.appendUpdated!(row, transactionOf(span));
    const both = await sendTogether(runner, (own) => runOwn(runner, sql, own), { sql, parameters }, second);
    if ("result" in both) return { result: both.result, flushed: both.secondRan };
    if (!both.inSecond) return both;
    if (sqlStateOf(both.error) === moved) return undefined;
    throw both.error;
  });
  if (sent && "error" in sent) throw sent.error;
  return sent;
}
