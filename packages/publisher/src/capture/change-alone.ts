import { type KeptCapture, LockstepError, type OutboxWriter, type RunStatement } from "@lockstep/core";

/** What is needed to know that nobody else changes the capture. */
interface Change {
  readonly run: RunStatement;
  readonly writer: Pick<OutboxWriter, "readCapture" | "keepCapture" | "handOver">;
}

/** A command that was killed holds its lock until the server has noticed, ms. */
const otherCommandMs = 5_000;

/** Runs a change while no other command changes this source's capture. @throws LockstepError CAPTURE_SWITCH_BUSY. */
export async function changeAlone<T>({ run, writer }: Change, work: () => Promise<T>): Promise<T> {
  const alone = await writer.handOver.alone(run, otherCommandMs, work);
  if (alone === undefined) throw busy("another command is changing this source's capture");
  return alone.result;
}

/** How the source is captured; where nothing is said, it is a source of before it was kept: there was only one way. */
export async function keptOf({ writer, run }: Change): Promise<KeptCapture> {
  return (await writer.readCapture(run)) ?? { kind: "subscriber" };
}

/**
 * Within a transaction in which nobody else changes how the source is captured: refuses to go on when somebody has since `kept` was read. What is done
 * at the turn, done once more, forgets what was written behind it.
 * @throws LockstepError CAPTURE_SWITCH_BUSY.
 */
export async function refuseMoved(change: Change, { kind, from, stage }: KeptCapture): Promise<void> {
  const now = await keptOf(change);
  if (now.kind === kind && now.from === from && now.stage === stage) return;
  throw busy("the capture of this source was changed meanwhile, by somebody else");
}

/** Keeps how the source is captured, if it still is as `kept` says. @throws LockstepError CAPTURE_SWITCH_BUSY. */
export async function moveFrom(change: Change, kept: KeptCapture, next: KeptCapture): Promise<void> {
  const { run, writer } = change;
  await writer.handOver.inTransaction(run, async () => {
    await refuseMoved(change, kept);
    await writer.keepCapture(run, next);
  });
}

/** A job knows places of the log that it was begun with, and would wait for them in vain. @throws LockstepError CAPTURE_SWITCH_BUSY. */
export async function refuseJobs({ run, writer }: Change): Promise<void> {
  const jobs = await writer.handOver.liveJobs(run);
  if (jobs.length > 0) throw busy(`jobs of this source are not over: ${jobs.join(", ")}`);
}

function busy(message: string): LockstepError {
  return new LockstepError("CAPTURE_SWITCH_BUSY", message);
}
