import {
  type CaptureKind,
  type KeptCapture,
  LockstepError,
  type OutboxWriter,
  type RunStatement,
} from "@lockstep/core";

type Keeper = Pick<OutboxWriter, "readCapture" | "keepCapture" | "hasTargets">;

/**
 * Says in the source how it is captured. What another process said stands as long as a target follows (PROTOCOL.md 27).
 * @throws LockstepError CAPTURE_CHANGED.
 */
export async function claimCapture(writer: Keeper, run: RunStatement, kind: CaptureKind): Promise<void> {
  const kept = await writer.readCapture(run);
  if (kept && (kept.kind === kind || kept.from === kind)) return;
  const followed = await keptForTargets(writer, run);
  if (followed && followed.kind !== kind) {
    throw new LockstepError(
      "CAPTURE_CHANGED",
      `this source is captured by "${followed.kind}" and followed by targets: it can't also be captured by "${kind}"`,
    );
  }
  await writer.keepCapture(run, { kind });
}

/**
 * How a source that targets follow is captured; `undefined` when none does. Where nothing is said, it is a source of before it was kept:
 * there was only one way.
 */
async function keptForTargets(
  writer: Pick<Keeper, "readCapture" | "hasTargets">,
  run: RunStatement,
): Promise<KeptCapture | undefined> {
  if (!(await writer.hasTargets(run))) return undefined;
  return (await writer.readCapture(run)) ?? { kind: "subscriber" };
}
