import { type CaptureFinding, LockstepError, type RowNote, type RunStatement } from "@lockstep/core";
import type { SourceCapture } from "./source-capture.js";

/** Runs what a plan says, and plans again: gives what is still wrong then. */
export async function installAtSource(
  capture: Pick<SourceCapture, "plan">,
  run: RunStatement,
  tables: readonly RowNote["table"][],
): Promise<readonly CaptureFinding[]> {
  const { findings, statements } = await capture.plan(run, tables);
  if (statements.length === 0) return findings;
  for (const statement of statements) await run(statement);
  return (await capture.plan(run, tables)).findings;
}

/** @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY, CAPTURE_NOT_INSTALLED when what was found means that writes go past the capture. */
export function refuseFindings(findings: readonly CaptureFinding[]): void {
  const wrong = findings.filter(({ problem }) => problem === "missing" || problem === "refused");
  if (wrong.length === 0) return;
  throw new LockstepError("CAPTURE_NOT_INSTALLED", wrong.map(({ message }) => message).join("; "), {
    details: { tables: wrong.flatMap(({ table }) => table ?? []) },
  });
}
