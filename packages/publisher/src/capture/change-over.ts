import {
  type CaptureFinding,
  type CaptureKind,
  type KeptCapture,
  LockstepError,
  type OutboxWriter,
  positionOf,
  type RowNote,
  type RunStatement,
} from "@lockstep/core";
import { changeAlone, keptOf, moveFrom, refuseJobs, refuseMoved } from "./change-alone.js";
import { holdWriters } from "./hold-writers.js";
import { installAtSource, refuseFindings, removeAtSource } from "./install-at-source.js";
import type { SourceCapture } from "./source-capture.js";
import { untilApplied } from "./until-applied.js";

/** What a change of the capture works with. */
export interface ChangeOver {
  /** One session of the source: it holds a transaction now and then. */
  readonly run: RunStatement;
  readonly writer: Pick<OutboxWriter, "readCapture" | "keepCapture" | "describe" | "handOver">;
  readonly captureOf: (kind: CaptureKind) => SourceCapture;
  readonly tables: readonly RowNote["table"][];
  /** How long targets are waited for, each time, ms. */
  readonly timeoutMs: number;
}

/**
 * Begins to capture a source in another way, while it is written to. Where both write to the outbox, both capture from here on: a row that both
 * saw is in the log twice, and applying it twice is applying it once. Where the log is another one, it also goes over to it, as soon as
 * every write is seen by the new way: at once, unless that is `subscriber`, which sees only what the processes that were started with it write.
 *
 * Whatever step this ends at, by itself or killed: the source is captured, either way, and the same call goes on from there.
 * @throws LockstepError CONFIG_INVALID; CAPTURE_NOT_INSTALLED; CAPTURE_SWITCH_WAITS when targets are behind, or writers can't be held;
 * CAPTURE_SWITCH_BUSY while another command changes this source, or a job of it isn't over.
 */
export function beginChangeOver(over: ChangeOver, to: CaptureKind): Promise<KeptCapture> {
  return changeAlone(over, () => begin(over, to));
}

async function begin(over: ChangeOver, to: CaptureKind): Promise<KeptCapture> {
  const kept = await keptOf(over);
  if (kept.stage === "beside" && kept.from === to) return takeBack(over, kept);
  if (kept.from !== undefined && kept.kind !== to) {
    throw new LockstepError(
      "CONFIG_INVALID",
      `the change from "${kept.from}" to "${kept.kind}" is under way: finish it first (--to ${kept.kind} --finish)`,
    );
  }
  if (kept.kind === to && kept.from === undefined) return kept;
  await putBeside(over, kept, to);
  return to === "subscriber" ? keptOf(over) : goOver(over);
}

/**
 * Ends it: only processes of the new way may start from here on, and what the way before had put into the source is taken out. To be called when every
 * process of the application has been started with the new way.
 * @throws LockstepError CONFIG_INVALID when no change is under way, or one to another kind; as {@link beginChangeOver}.
 */
export function finishChangeOver(over: ChangeOver, to: CaptureKind): Promise<KeptCapture> {
  return changeAlone(over, () => finish(over, to));
}

async function finish(over: ChangeOver, to: CaptureKind): Promise<KeptCapture> {
  const kept = await keptOf(over);
  if (kept.kind !== to || kept.from === undefined) {
    throw new LockstepError("CONFIG_INVALID", `no change to "${to}" is under way`);
  }
  await putBeside(over, kept, to);
  await moveFrom(over, await goOver(over), { kind: to });
  await takeOut(over, kept.from, to);
  return { kind: to };
}

/** Sees to it that the new way is installed. It is said first: a slot of which nobody knows would fill the source's disk. */
async function putBeside(over: ChangeOver, kept: KeptCapture, to: CaptureKind): Promise<void> {
  const { writer, run, tables, captureOf } = over;
  const capture = captureOf(to);
  const isBegun = kept.kind === to;
  const isOneLog = !capture.handOver && !captureOf(kept.kind).handOver;
  if (kept.stage === "beside" || !(isBegun || isOneLog)) await refuseJobs(over);
  const refused = (findings: readonly CaptureFinding[]) => findings.filter((f) => f.problem === "refused");
  refuseFindings(refused((await capture.plan(run, tables)).findings));
  if (tables.length > 0) await writer.describe(run, tables);
  if (!isBegun) {
    await moveFrom(over, kept, { kind: to, from: kept.kind, ...(!isOneLog && { stage: "beside" }) });
  }
  // Its plan would take out the triggers that capture as yet: what it needs itself is made when that is over.
  if (sharesTriggers(to, kept.from ?? kept.kind) && to === "binlog") return;
  refuseFindings(await installAtSource(capture, run, tables));
}

/** From one log to the other, from whichever stage it is at. */
async function goOver(over: ChangeOver): Promise<KeptCapture> {
  if ((await keptOf(over)).stage === "beside") await turn(over);
  if ((await keptOf(over)).stage === "turned") await settle(over);
  const kept = await keptOf(over);
  // Not a matter of processes: nobody reads the log any more, and what triggers write is written for nobody.
  if (kept.from !== undefined && isTurn(over, kept)) await takeOut(over, kept.from, kept.kind);
  return kept;
}

/** Says where the one log ends and the other begins: in a moment in which nobody writes to the outbox, so that each change is in one of them. */
async function turn(over: ChangeOver): Promise<void> {
  const { run, writer, captureOf, tables, timeoutMs } = over;
  const { handOver: outbox } = writer;
  const kept = await keptOf(over);
  const [old, next] = [captureOf(kept.from!).handOver, captureOf(kept.kind).handOver];
  // From the turn on there is only forward: a target that doesn't come along must be met before.
  const reached = await (old ?? outbox).reach(run);
  await outbox.writeBarrier(run);
  await untilApplied(over, positionOf(reached, 0));
  const turned = { kind: kept.kind, from: kept.from!, stage: "turned" } as const;
  const work = async (): Promise<void> => {
    await refuseMoved(over, kept);
    await refuseJobs(over);
    if (next === undefined) {
      // Looked at again, now that nobody can write: from here on it is all that captures.
      refuseFindings((await captureOf(kept.kind).plan(run, tables)).findings);
      await outbox.markEnd(run);
      return writer.keepCapture(run, turned);
    }
    const last = await outbox.cutLast(run);
    await next.begin(run, last);
    await writer.keepCapture(run, { ...turned, end: last.end });
  };
  await holdWriters({ run, outbox, timeoutMs }, work);
}

/** The old log is read to its end; then the other one is in force. */
async function settle(over: ChangeOver): Promise<void> {
  const { run, writer, captureOf } = over;
  const { handOver: outbox } = writer;
  const end = await untilApplied(over, async () => (await keptOf(over)).end);
  const { kind, from } = await keptOf(over);
  const left = captureOf(from!).handOver;
  await outbox.inTransaction(run, async () => {
    await refuseMoved(over, { kind, from: from!, stage: "turned" });
    if (left !== undefined) {
      const last = end ?? positionOf(await left.reach(run), 0);
      await outbox.goOn(run, { end: last, total: await left.leave(run) });
    }
    await writer.keepCapture(run, { kind, from: from! });
  });
}

/** A change that was begun and has not gone over yet is no more. */
async function takeBack(over: ChangeOver, kept: KeptCapture): Promise<KeptCapture> {
  const back = { kind: kept.from! };
  await moveFrom(over, kept, back);
  await takeOut(over, kept.kind, back.kind);
  return back;
}

function isTurn({ captureOf }: ChangeOver, { kind, from }: KeptCapture): boolean {
  return [kind, from!].some((one) => captureOf(one).handOver !== undefined);
}

/** Takes out what one capture had put into the source and the one that stays doesn't need. */
async function takeOut(over: ChangeOver, gone: CaptureKind, stays: CaptureKind): Promise<void> {
  const { run, captureOf, tables } = over;
  // The plan of what stays makes what it needs, and takes out the rest only then: a row that two triggers write is written twice, one that none writes is lost.
  if (sharesTriggers(gone, stays))
    return refuseFindings(await installAtSource(captureOf(stays), run, tables));
  await removeAtSource(captureOf(gone), run, tables);
}

/** On MySQL and MariaDB what foreign keys change is seen by triggers under both, and they go by one name. */
function sharesTriggers(one: CaptureKind, other: CaptureKind): boolean {
  return [one, other].every((kind) => kind === "trigger" || kind === "binlog");
}
