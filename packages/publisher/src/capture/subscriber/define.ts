import { flush } from "./flush.js";
import type { CaptureRules } from "./capture-rules.js";
import type { Journal } from "./journal.js";
import { transactionIsOpen } from "./server-status.js";
import type { StructuredResult } from "./typeorm-internals.js";

/** Runs a statement of our own on the runner's connection. */
export type RunOwn = (sql: string, parameters?: readonly unknown[]) => Promise<StructuredResult>;

/**
 * MySQL: sends a statement that commits by itself, or doesn't: a mistake in it, `UNLOCK TABLES` without locks. So everything noted is
 * flushed before it, and the server is asked after it. Where the transaction is still open the flush is taken back and all is noted as
 * before: what the outbox held would be lost in the next roll-back to a savepoint, and would be a transaction of its own.
 * @returns the statement's result, and how many outbox rows it has committed.
 */
export async function defineInTransaction(
  rules: Pick<CaptureRules, "writer">,
  journal: Journal,
  run: RunOwn,
  send: () => Promise<unknown>,
  begins: boolean,
): Promise<{ readonly result: unknown; readonly committed: number }> {
  const putBack = journal.keep();
  const flushes = !journal.empty;
  let flushed = 0;
  if (flushes) {
    await run("SAVEPOINT lockstep_definition");
    flushed = await flush(
      rules,
      journal,
      async (sql, parameters) => (await run(sql, parameters)).records ?? [],
    );
  }
  const settle = async (open: boolean | undefined): Promise<number> => {
    if (open === false) {
      journal.end();
      return flushed;
    }
    if (!flushes) return 0;
    putBack();
    if (open) await run("ROLLBACK TO SAVEPOINT lockstep_definition");
    else journal.poison(new Error("whether a statement committed by itself is not known"));
    return 0;
  };
  let result: unknown;
  try {
    result = await send();
  } catch (error) {
    await settle(await isOpen(run).catch(() => undefined));
    throw error;
  }
  if (!begins) return { result, committed: await settle(transactionIsOpen(result) ?? (await isOpen(run))) };
  const committed = await settle(false);
  journal.begin();
  return { result, committed };
}

/** Asks the server whether a transaction is open: every answer says it that isn't rows or an error. */
export async function isOpen(run: RunOwn): Promise<boolean | undefined> {
  return transactionIsOpen(await run("DO 0"));
}
