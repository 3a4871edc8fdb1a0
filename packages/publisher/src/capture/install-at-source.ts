import {
  type CaptureFinding,
  type CaptureRemoval,
  LockstepError,
  type RowNote,
  type RunStatement,
} from "@lockstep/core";
import { sayingWhoIsWaitedFor } from "@lockstep/outbox";
import type { SourceCapture } from "./source-capture.js";

/**
 * Runs what a plan says, and plans again: gives what is still wrong then.
 * @throws LockstepError CAPTURE_INSTALL_WAITS, naming them, when open transactions stand in its way for too long.
 */
export async function installAtSource(
  capture: Pick<SourceCapture, "plan" | "inTheWay" | "alone">,
  run: RunStatement,
  tables: readonly RowNote["table"][],
): Promise<readonly CaptureFinding[]> {
  const { findings, ...mending } = await capture.plan(run, tables);
  if (mending.statements.length === 0) return findings;
  if (capture.alone === undefined) await runAll(capture, run, mending, tables);
  // Planned anew: processes that start together find the same missing, and the first one mends it.
  else await capture.alone(run, async () => runAll(capture, run, await capture.plan(run, tables), tables));
  return (await capture.plan(run, tables)).findings;
}

/** Takes everything out again. @throws LockstepError CAPTURE_INSTALL_WAITS. */
export async function removeAtSource(
  capture: Pick<SourceCapture, "removal" | "inTheWay">,
  run: RunStatement,
  tables: readonly RowNote["table"][],
): Promise<void> {
  await runAll(capture, run, await capture.removal(run), tables);
}

async function runAll(
  capture: Pick<SourceCapture, "inTheWay">,
  run: RunStatement,
  { statements, restore }: CaptureRemoval,
  tables: readonly RowNote["table"][],
): Promise<void> {
  try {
    for (const statement of statements) await runPatiently(capture, run, statement, tables);
  } catch (error) {
    if (restore !== undefined) await run(restore).catch(() => undefined);
    throw error;
  }
}

async function runPatiently(
  capture: Pick<SourceCapture, "inTheWay">,
  run: RunStatement,
  statement: string,
  tables: readonly RowNote["table"][],
): Promise<void> {
  await sayingWhoIsWaitedFor(
    () => run(statement),
    async () => (await capture.inTheWay?.(run, statement, tables)) ?? [],
  );
}

/** @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY, CAPTURE_NOT_INSTALLED when what was found means that writes go past the capture. */
export function refuseFindings(findings: readonly CaptureFinding[]): void {
  const wrong = findings.filter(({ problem }) => problem === "missing" || problem === "refused");
  if (wrong.length === 0) return;
  throw new LockstepError("CAPTURE_NOT_INSTALLED", wrong.map(({ message }) => message).join("; "), {
    details: { tables: wrong.flatMap(({ table }) => table ?? []) },
  });
}
