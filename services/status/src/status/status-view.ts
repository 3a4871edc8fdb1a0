import { isLockstepError, LockstepError, type RelayReport } from "@lockstep/core";
import { hintOf, instantOrNull } from "../letters/letter-view.js";
import { problemOf } from "../problem/problem.js";
import { laneViews } from "./lane-views.js";
import { readsView } from "./reads-view.js";
import type { Shade } from "../letters/shade.js";
import type { SourceObservation } from "./observe.js";
import type { LaneView, RelayView, SourceView, StatusView, Trouble } from "./status-schema.js";

/** Draws the whole picture from what was observed. Pure. */
export function statusView(
  observations: readonly SourceObservation[],
  shade: Shade,
  now: number,
): StatusView {
  const sources = observations.map((observation) => sourceView(observation, shade));
  const troubles = observations.flatMap((observation, i) => troublesOf(observation, sources[i]!));
  const distinct = [...new Map(troubles.map((t) => [`${t.code}\n${t.about}`, t])).values()];
  return {
    at: new Date(now).toISOString(),
    state: distinct.length === 0 ? "ok" : "degraded",
    troubles: distinct,
    sources,
  };
}

function sourceView(observation: SourceObservation, shade: Shade): SourceView {
  const { source, redis, targets } = observation;
  return {
    name: source.name,
    relay: relayView(redis),
    targets: targets.map(({ target, answer }) => ({
      name: target.name,
      address: target.target.address,
      reachable: answer.ok,
      letters: answer.ok ? answer.value.letters : null,
    })),
    lanes: laneViews(observation, shade),
    reads: readsView(redis.ok ? redis.value.reads : []),
  };
}

const unknownRelay: RelayView = {
  state: "unknown",
  leader: null,
  partitions: null,
  publishedPosition: null,
  publishedEvents: null,
  outboxEventsWaiting: null,
  outboxOldestMs: null,
  heldLogBytes: null,
  waiting: null,
  reportedAt: null,
};

function relayView(redis: SourceObservation["redis"]): RelayView {
  if (!redis.ok) return unknownRelay;
  const { relay } = redis.value;
  if (relay === undefined) return { ...unknownRelay, state: "silent" };
  return {
    state: relay.leader ? "leading" : "standing-by",
    leader: relay.leader ? relay.relay : null,
    partitions: relay.partitions,
    publishedPosition: relay.published,
    publishedEvents: relay.total,
    outboxEventsWaiting: relay.backlogEvents,
    outboxOldestMs: relay.backlogOldestMs,
    heldLogBytes: relay.heldLogBytes ?? null,
    waiting: relay.waiting ?? null,
    reportedAt: instantOrNull(relay.at),
  };
}

function troublesOf({ source, redis, targets }: SourceObservation, view: SourceView): Trouble[] {
  const troubles: Trouble[] = [];
  const about = `source ${source.name}`;
  if (!redis.ok) troubles.push(trouble(about, redis.error));
  else if (view.relay.state !== "leading")
    troubles.push(trouble(about, new LockstepError("RELAY_SILENT", "no relay leads this source")));
  if (redis.ok)
    troubles.push(...heldTrouble(about, redis.value.relay), ...captureTroubles(about, redis.value.relay));
  for (const { target, answer } of targets)
    if (!answer.ok) troubles.push(trouble(`target ${target.name}`, answer.error));
  for (const lane of view.lanes) {
    const reason = laneTrouble(lane);
    if (reason !== undefined) troubles.push(reason);
  }
  return troubles;
}

function captureTroubles(about: string, relay: RelayReport | undefined): Trouble[] {
  return (relay?.captureFindings ?? []).map((finding) =>
    trouble(about, new LockstepError("CAPTURE_INCOMPLETE", finding)),
  );
}

function heldTrouble(about: string, relay: RelayReport | undefined): Trouble[] {
  const { heldLogBytes = 0, maxHeldLogBytes = Infinity } = relay ?? {};
  if (heldLogBytes <= maxHeldLogBytes) return [];
  return [
    trouble(about, new LockstepError("CAPTURE_LOG_HELD", `${heldLogBytes} bytes of the log are held back`)),
  ];
}

// A lane that a person paused is as it should be, whatever reason it gives.
function laneTrouble({ id, state, reason, pauseRequested }: LaneView): Trouble | undefined {
  if (state === "paused" && (pauseRequested === true || reason === null || reason.code === pausedByPerson))
    return undefined;
  if (reason === null && state !== "stalled" && state !== "halted") return undefined;
  return reason === null
    ? {
        code: "LANE_UNOWNED",
        about: id,
        detail: `the lane is ${state}`,
        hint: hintOf("LANE_UNOWNED"),
      }
    : { ...reason, about: id };
}

/** The reason's code by which a lane says that it obeys a person. */
const pausedByPerson = "PAUSED";

function trouble(about: string, error: unknown): Trouble {
  const { code, detail, hint } = problemOf(error, "");
  return { code, about, detail, hint };
}

/** True for an error that is more than something being away: worth a line in the log. */
export function isSurprising(error: unknown): boolean {
  return !isLockstepError(error);
}
