import { LockstepError, type RowNote, type RunStatement, isLockstepError, spanNames } from "@lockstep/core";
import { type Span, SpanStatusCode, context, isSpanContextValid, trace } from "@opentelemetry/api";
import type { CaptureRules } from "./capture-rules.js";
import type { Journal } from "./journal.js";
import { refusedByDatabase, retryableCause } from "./server-errors.js";

/**
 * Writes what the open transaction has noted to the outbox, in that transaction, until nothing is left to write: writes may be sent while
 * it runs. @returns rows written.
 * @throws LockstepError OUTBOX_WRITE_FAILED, CAPTURE_POISONED; the driver's own error after a deadlock or the like. The transaction must not commit then.
 */
export async function flush(
  rules: Pick<CaptureRules, "writer">,
  journal: Journal,
  run: RunStatement,
): Promise<number> {
  for (let written = 0; ;) {
    const notes = await take(journal);
    if (notes.length === 0) return written;
    try {
      written += await append(rules, run, notes);
    } catch (error) {
      // MariaDB would commit the rows without their outbox rows if the caller tried COMMIT again.
      journal.poison(error);
      throw error;
    }
  }
}

async function take(journal: Journal): Promise<readonly RowNote[]> {
  try {
    return await journal.take();
  } catch (cause) {
    throw new LockstepError("CAPTURE_POISONED", "this transaction can't commit", { cause });
  }
}

/**
 * Writes what the open transaction has noted and commits it, in one message: one round trip less than {@link flush} and COMMIT. Only for writers that
 * can say their statement. `starts` is called in the turn in which the message is sent, when nothing more can be added to it.
 * @returns how many notes were written; `undefined` when a write was sent meanwhile: nothing is done then, and all is still noted.
 * @throws as {@link flush} does, or the driver's own error when the connection broke: whether the transaction has committed is unknown then.
 */
export async function flushAndCommit(
  { writer }: Pick<CaptureRules, "writer">,
  journal: Journal,
  run: (sql: string) => Promise<unknown>,
  starts: () => void,
): Promise<number | undefined> {
  const notes = await take(journal);
  if (!journal.empty) {
    journal.putBack(notes);
    return undefined;
  }
  starts();
  if (notes.length === 0) {
    await run("COMMIT");
    return 0;
  }
  // Should the first statement fail, the server runs nothing of what stands behind it.
  await traced(true, (span) => run(`${writer.appendStatement!(notes, transactionOf(span))}; COMMIT`));
  return notes.length;
}

function append(
  rules: Pick<CaptureRules, "writer">,
  run: RunStatement,
  notes: readonly RowNote[],
): Promise<number> {
  return traced(false, async (span) => {
    const written = await rules.writer.append(run, notes, transactionOf(span));
    span.setAttribute("lockstep.events", written);
    return written;
  });
}

/** Runs a flush inside its span, its errors made Lockstep's. */
export async function traced<T>(commits: boolean, work: (span: Span) => Promise<T>): Promise<T> {
  // Asked for at each use: a tracer that was made before the application registered its provider would stay with the first it met.
  const span = trace.getTracer("@lockstep/publisher").startSpan(spanNames.capture);
  try {
    return await (isSpanContextValid(span.spanContext())
      ? context.with(trace.setSpan(context.active(), span), work, undefined, span)
      : work(span));
  } catch (cause) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    // As it came from the driver: an application that runs such transactions again looks for its code.
    const again = retryableCause(cause);
    if (again !== undefined) throw again;
    if (isLockstepError(cause)) throw cause;
    // The connection broke while the COMMIT was under way: nobody knows whether it took place, so the driver's own error says more.
    if (commits && !refusedByDatabase(cause)) throw cause;
    throw new LockstepError("OUTBOX_WRITE_FAILED", "the outbox refused this transaction's changes", {
      cause,
    });
  } finally {
    span.end();
  }
}

/** The W3C traceparent of a span, when it is one that is traced. */
export function transactionOf(span: Span): { readonly traceparent?: string } {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return {};
  const flags = context.traceFlags.toString(16).padStart(2, "0");
  return { traceparent: `00-${context.traceId}-${context.spanId}-${flags}` };
}
