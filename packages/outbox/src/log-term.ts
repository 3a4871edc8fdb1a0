import { type CaptureKind, type KeptCapture, LockstepError } from "@lockstep/core";

/** The logs that a relay can read. Subscriber and triggers share one. */
export type LogKind = "outbox" | "wal" | "binlog";

/** The log that a capture's changes stand in. Pure. */
function logOf(kind: CaptureKind): LogKind {
  return kind === "wal" || kind === "binlog" ? kind : "outbox";
}

/** The log that is read now; `undefined`: nobody has said how the source is captured. Pure. */
function logInForce(kept: KeptCapture | undefined): LogKind | undefined {
  return kept && logOf(kept.stage === undefined ? kept.kind : kept.from!);
}

/**
 * Whether who reads `log` may lead its source (PROTOCOL.md 27): two relays that read two logs would publish two orders. False while its turn is
 * still to come. Pure. @throws LockstepError CAPTURE_CHANGED when it won't come.
 */
export function mayLead(kept: KeptCapture | undefined, log: LogKind): boolean {
  const inForce = logInForce(kept) ?? log;
  if (inForce === log) return true;
  if (kept?.stage !== undefined && logOf(kept.kind) === log) return false;
  throw new LockstepError(
    "CAPTURE_CHANGED",
    `this source is captured by "${kept!.kind}": a relay that reads another log can't publish it`,
  );
}

/** A leadership, as a log gives it. */
type Leadership = { readonly lost: Promise<void>; release(): Promise<void> } | undefined;

/**
 * Leads only who reads the log in force. Asked before, so that a relay that was left behind says so whoever leads; and with the lead in hand, for it may
 * have changed meanwhile.
 */
export async function leadAs(
  log: LogKind,
  lead: () => Promise<Leadership>,
  readKept: () => Promise<KeptCapture | undefined>,
): Promise<
  { readonly leadership: NonNullable<Leadership>; readonly kept: KeptCapture | undefined } | undefined
> {
  if (!mayLead(await readKept(), log)) return undefined;
  const leadership = await lead();
  if (leadership === undefined) return undefined;
  try {
    const kept = await readKept();
    if (mayLead(kept, log)) return { leadership, kept };
  } catch (error) {
    await leadership.release().catch(() => undefined);
    throw error;
  }
  await leadership.release().catch(() => undefined);
  return undefined;
}

/** Ends a term whose source is captured in another way since it began: whoever leads next asks what is in force. */
export function captureMoved(): LockstepError {
  return new LockstepError("RELAY_FENCED", "the source is captured in another way since this relay leads");
}

/** How a source is captured, as one text that tells two states apart. Pure. */
export function capturedText(kept: KeptCapture | undefined): string {
  return [kept?.kind, kept?.from, kept?.stage].map((part) => part ?? "-").join(" ");
}

/** A target can't begin while the source changes from one log to another, or in a log that is no longer read; it asks again. */
export function newcomerRefused(): LockstepError {
  return new LockstepError(
    "CAPTURE_CHANGED",
    "the source's capture is being changed: new targets wait until that is over",
  );
}

/** Whether what is written now is for another log to give: this one has ended, or isn't in force. Pure. */
export function isClosed(kept: KeptCapture | undefined, log: LogKind): boolean {
  return kept?.stage === "turned" || (logInForce(kept) ?? log) !== log;
}

/** Refuses to write what must come before the end of a log that has ended, or isn't in force. @throws LockstepError CAPTURE_CHANGED. */
export function refuseEnded(kept: KeptCapture | undefined, log: LogKind): void {
  if (mayLead(kept, log) && kept?.stage !== "turned") return;
  throw new LockstepError(
    "CAPTURE_CHANGED",
    "the capture of this source is being changed: try again when that is over",
  );
}
