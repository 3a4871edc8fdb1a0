import { type LaneReport, LockstepError } from "@lockstep/core";
import { laneIdOf } from "../fleet/addresses.js";
import { hintOf, instantOrNull } from "../letters/letter-view.js";
import { maskKey } from "../letters/mask.js";
import type { Shade } from "../letters/shade.js";
import type { LaneCheckpoint, SourceObservation, TargetObservation } from "./observe.js";
import { problemOf } from "../problem/problem.js";
import type { LaneView } from "./status-schema.js";

/**
 * A source's lanes: those that reported, and those that only a checkpoint or an announcement tells of, which nobody works on (or whose
 * report can't be read). Sorted by target and partition.
 */
export function laneViews(observation: SourceObservation, shade: Shade): LaneView[] {
  const { source, redis, targets } = observation;
  const reports = redis.ok ? redis.value.lanes : [];
  const announced = redis.ok ? redis.value.announced : [];
  return targets
    .flatMap((target) => {
      const { name } = target.target;
      const checkpoints = target.answer.ok
        ? target.answer.value.checkpoints.filter((c) => c.source === source.name)
        : [];
      const known = [
        ...reports.filter((r) => r.target === name),
        ...checkpoints,
        ...announced.filter((a) => a.name === name),
      ];
      return [...new Set(known.map((k) => k.partition))].map((partition) => {
        const report = reports.find((r) => r.target === name && r.partition === partition);
        const checkpoint = checkpoints.find((c) => c.partition === partition);
        const address = { source: source.name, target: name, partition };
        return report === undefined
          ? silentLane(address, observation, target, checkpoint)
          : reportedLane(address, report, checkpoint, shade);
      });
    })
    .sort((a, b) => (a.target === b.target ? a.partition - b.partition : a.target < b.target ? -1 : 1));
}

type Address = Pick<LaneView, "source" | "target" | "partition">;

function reportedLane(
  address: Address,
  report: LaneReport,
  checkpoint: LaneCheckpoint | undefined,
  { mask, schemas }: Shade,
): LaneView {
  return {
    id: laneIdOf(address),
    ...address,
    state: report.state,
    reason:
      report.reason === undefined
        ? null
        : { code: report.reason.code, detail: report.reason.message, hint: hintOf(report.reason.code) },
    pauseRequested: checkpoint?.paused ?? null,
    owner: report.owner,
    checkpoint: report.position,
    lagMs: report.lagMs,
    eventsBehind: report.eventsBehind,
    rowsPerSecond: report.rowsPerSecond,
    latencyMs: report.latencyMs,
    lastSyncAt: instantOrNull(report.lastSyncAt),
    recordsSynced: report.recordsSynced,
    errorCount: report.errorCount,
    lastErrors: report.lastErrors.slice(0, 10).map(({ table, key, code, at }) => ({
      table,
      key:
        table === null || key === null
          ? null
          : maskKey(mask, table, key, schemas.latest(address.source, table)),
      code,
      hint: hintOf(code),
      at: new Date(at).toISOString(),
    })),
    letters: report.letters,
    conflicts: outcomesOf(report.conflicts),
    seeded: report.seeded,
    reportedAt: instantOrNull(report.at),
  };
}

/** A lane without a report, as far as its checkpoint tells. */
function silentLane(
  address: Address,
  { redis }: SourceObservation,
  { answer }: TargetObservation,
  checkpoint: LaneCheckpoint | undefined,
): LaneView {
  const total = redis.ok ? redis.value.relay?.total : undefined;
  return {
    id: laneIdOf(address),
    ...address,
    state: checkpoint?.paused ? "paused" : "stalled",
    reason: checkpoint?.paused ? null : silenceReason(redis.ok ? answer : redis),
    pauseRequested: checkpoint?.paused ?? null,
    owner: null,
    checkpoint: checkpoint?.position ?? null,
    lagMs: null,
    eventsBehind:
      total === undefined || checkpoint === undefined ? null : Math.max(0, total - checkpoint.total),
    rowsPerSecond: null,
    latencyMs: null,
    lastSyncAt: instantOrNull(checkpoint?.lastSyncAt),
    recordsSynced: checkpoint?.recordsSynced ?? null,
    errorCount: null,
    lastErrors: [],
    conflicts: null,
    letters: null,
    seeded: checkpoint?.seeded ?? null,
    reportedAt: null,
  };
}

// Redis away: nobody's report can be read. Target away: its owner lost its lock. Else nobody owns it.
function silenceReason(answer: { ok: true } | { ok: false; error: unknown }): LaneView["reason"] {
  const error = answer.ok
    ? new LockstepError("LANE_UNOWNED", "no consumer works on this lane")
    : answer.error;
  const { code, detail, hint } = problemOf(error, "");
  return { code, detail, hint };
}

function outcomesOf(conflicts: LaneReport["conflicts"] = []): Record<string, number> {
  const outcomes: Record<string, number> = {};
  for (const { outcome, count } of conflicts) outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
  return outcomes;
}
