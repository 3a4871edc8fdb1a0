import {
  type CaptureKind,
  type KeptCapture,
  LockstepError,
  type OutboxWriter,
  type RunStatement,
} from "@lockstep/core";

type Keeper = Pick<OutboxWriter, "readCapture" | "keepCapture" | "hasTargets">;

/**
 * Says in the source how it is captured. What another process said stands as long as a target follows (PROTOCOL.md 27). `left`: the source
 * changes over, and a process of this way may start, but leaves what is in the database to the command that changes it.
 * @throws LockstepError CAPTURE_CHANGED.
 */
export async function claimCapture(
  writer: Keeper,
  run: RunStatement,
  kind: CaptureKind,
): Promise<"current" | "left"> {
  const kept = await writer.readCapture(run);
  if (kept && names(kept, kind)) return kept.from === kind || kept.stage !== undefined ? "left" : "current";
  await refuseOtherCapture(writer, run, kind);
  await writer.keepCapture(run, { kind });
  return "current";
}

/**
 * For whoever reads a source that others write: refuses another capture than the one that targets follow, and says nothing itself. Where
 * nothing was said, it is a source of before it was kept: there was only one way.
 * @throws LockstepError CAPTURE_CHANGED.
 */
export async function refuseOtherCapture(
  writer: Pick<Keeper, "readCapture" | "hasTargets">,
  run: RunStatement,
  kind: CaptureKind,
): Promise<void> {
  if (!(await writer.hasTargets(run))) return;
  const kept = (await writer.readCapture(run)) ?? { kind: "subscriber" };
  if (names(kept, kind)) return;
  throw new LockstepError(
    "CAPTURE_CHANGED",
    `this source is captured by "${kept.kind}" and followed by targets: it can't also be captured by "${kind}"`,
  );
}

/** While the source changes over, both ways are its own. */
function names(kept: KeptCapture, kind: CaptureKind): boolean {
  return kept.kind === kind || kept.from === kind;
}
