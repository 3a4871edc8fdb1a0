import type { DataSource } from "typeorm";
import { withRunner } from "../../subscriber/install-capture.js";
import { removeCapture, runOwn, setCapture } from "../../subscriber/patch-typeorm.js";
import type { Capture } from "../../subscriber/capture.js";
import { canSendTogether, sendTogether } from "../../subscriber/send-together.js";
import { sqlStateOf } from "../../subscriber/server-errors.js";
import type { RunnerInternals, StructuredResult } from "../../subscriber/typeorm-internals.js";
import { recordedTrace } from "../../trace/recorded-trace.js";
import { tracePrefix } from "../pgoutput/trace-message.js";

/**
 * Has transactions that are committed inside a recorded span write the span's traceparent into the log, as a message of their own: with the
 * COMMIT, in one round trip, and only where something was written. What isn't traced is sent as it always is. A role that may not write
 * messages writes none: a trace must never cost a transaction.
 */
export async function traceTransactions(dataSource: DataSource): Promise<() => void> {
  if (!(await mayWriteMessages(dataSource))) return () => undefined;
  const capture: Capture = {
    begins: () => undefined,
    execute: (builder, execute) => execute.call(builder),
    watch: (_runner, _sql, send) => send(),
    release: (_runner, release) => release(),
    send(runner, statement, { sql, parameters = [] }, send) {
      if (statement.kind !== "commit" && statement.kind !== "write") return send();
      const traceparent = recordedTrace();
      if (traceparent === undefined) return send();
      if (statement.kind === "commit") return statement.plain ? commit(runner, traceparent, send) : send();
      // Without parameters it may be several statements, which can't travel so; in a transaction the COMMIT tells.
      const isAlone = parameters.length > 0 && !runner.isTransactionActive;
      return isAlone ? write(runner, { sql, parameters }, traceparent, send) : send();
    },
  };
  setCapture(dataSource, capture);
  return () => removeCapture(dataSource, capture);
}

const message = "pg_catalog.pg_logical_emit_message";

function mayWriteMessages(dataSource: DataSource): Promise<boolean> {
  return withRunner(dataSource, async (run) => {
    const [row] = await run(
      `select bool_and(has_function_privilege(oid, 'execute'))::text as may from pg_catalog.pg_proc
        where proname = 'pg_logical_emit_message' and pronamespace = 'pg_catalog'::regnamespace`,
    );
    return row?.["may"] === "true";
  });
}

const transactionAborted = "25P02";

async function commit(
  runner: RunnerInternals,
  traceparent: string,
  send: () => Promise<unknown>,
): Promise<unknown> {
  // Without a transaction id nothing was written: a message would make a transaction of what was none. A traceparent is hexadecimal.
  const said = `SELECT ${message}(true, '${tracePrefix}', '${traceparent}') WHERE pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL`;
  try {
    await runOwn(runner, `${said}; COMMIT`, []);
    // What TypeORM gives for a COMMIT: no rows.
    return [];
  } catch (error) {
    // A statement failed before, and the application commits all the same: as without a trace, the server makes a ROLLBACK of it.
    if (sqlStateOf(error) === transactionAborted) return send();
    throw error;
  }
}

async function write(
  runner: RunnerInternals,
  statement: { readonly sql: string; readonly parameters: readonly unknown[] },
  traceparent: string,
  send: (parameters?: unknown[]) => Promise<unknown>,
): Promise<unknown> {
  if (!(await canSendTogether(runner))) return send();
  const said = { sql: `SELECT ${message}(true, $1, $2)`, parameters: [tracePrefix, traceparent] };
  const sent = await sendTogether(runner, (own) => send(own) as Promise<StructuredResult>, statement, said);
  if ("result" in sent) return sent.result;
  if (sent.inSecond) return send();
  throw sent.error;
}
