import {
  type CaptureFinding,
  type CaptureKind,
  type KeptCapture,
  LockstepError,
  type OutboxWriter,
  type RowNote,
  type RunStatement,
} from "@lockstep/core";
import { installAtSource, refuseFindings } from "./install-at-source.js";
import type { SourceCapture } from "./source-capture.js";

/** What a change of the capture works with. */
export interface ChangeOver {
  readonly run: RunStatement;
  readonly writer: Pick<OutboxWriter, "readCapture" | "keepCapture" | "hasTargets">;
  readonly captureOf: (kind: CaptureKind) => SourceCapture;
  readonly tables: readonly RowNote["table"][];
}

/**
 * Begins to capture a source in another way, while it is written to. From here on both ways capture, so that no write is lost whichever processes
 * are still as they were: a row that both capture is in the log twice, and applying it twice is applying it once. Writers are not held up, and positions go on.
 * @throws LockstepError CONFIG_INVALID when the two ways don't share a log; CAPTURE_NOT_INSTALLED, and then nothing has changed.
 */
export async function beginChangeOver(over: ChangeOver, to: CaptureKind): Promise<KeptCapture> {
  const kept = await keptOf(over);
  if (kept.kind === to) return kept;
  if (!sharesLog(kept.kind) || !sharesLog(to)) {
    throw new LockstepError(
      "CONFIG_INVALID",
      `from "${kept.kind}" to "${to}" positions don't go on: remove the targets, change the capture, and seed them again`,
    );
  }
  refuseFindings(await installAtSource(over.captureOf(to), over.run, over.tables));
  const changed = { kind: to, from: kept.kind };
  await over.writer.keepCapture(over.run, changed);
  return changed;
}

/**
 * Ends it: what the way before had put into the source is taken out. To be called when every process of the application has been started with the
 * new way: writes of the others would go past it.
 * @throws LockstepError CONFIG_INVALID when no change is under way, or one to another kind.
 */
export async function finishChangeOver(over: ChangeOver, to: CaptureKind): Promise<KeptCapture> {
  const kept = await keptOf(over);
  if (kept.kind !== to || kept.from === undefined) {
    throw new LockstepError("CONFIG_INVALID", `no change to "${to}" is under way`);
  }
  const findings: readonly CaptureFinding[] = await installAtSource(
    over.captureOf(to),
    over.run,
    over.tables,
  );
  refuseFindings(findings);
  await over.writer.keepCapture(over.run, { kind: to });
  for (const statement of await over.captureOf(kept.from).removal(over.run)) await over.run(statement);
  return { kind: to };
}

async function keptOf({ writer, run }: ChangeOver): Promise<KeptCapture> {
  return (await writer.readCapture(run)) ?? { kind: "subscriber" };
}

/** Both write to the outbox: their changes stand in one order already. */
function sharesLog(kind: CaptureKind): boolean {
  return kind === "subscriber" || kind === "trigger";
}
