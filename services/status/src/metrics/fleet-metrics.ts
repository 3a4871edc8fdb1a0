import { metricNames } from "@lockstep/core";
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { JobsObservation } from "../jobs/observe-jobs.js";
import { jobMetrics } from "./job-metrics.js";
import type { SourceObservation } from "../status/observe.js";

/** The service's metrics in Prometheus' text form. */
export interface FleetMetrics {
  readonly contentType: string;
  /** Fills the metrics from what was observed and prints them. */
  render(
    observations: readonly SourceObservation[],
    jobs?: readonly (JobsObservation | undefined)[],
  ): Promise<string>;
}

const laneStates = ["starting", "running", "catching-up", "paused", "stalled", "halted"] as const;
const laneLabels = ["source", "target", "partition"] as const;

/** Makes a registry of its own: two servers in one process don't share metrics. */
export function openFleetMetrics(): FleetMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames, registers });
  const m = {
    lag: gauge(
      metricNames.laneLag,
      "Age of the oldest event a lane hasn't applied; 0 when caught up",
      laneLabels,
    ),
    behind: gauge(metricNames.laneEventsBehind, "Events a lane hasn't applied", laneLabels),
    state: gauge(metricNames.laneState, "1 for the state a lane is in", [...laneLabels, "state"] as const),
    records: counter(metricNames.laneRecords, "Rows a lane has written", laneLabels),
    errors: counter(metricNames.laneErrors, "Row errors a lane has met", laneLabels),
    letters: gauge(metricNames.letters, "Dead letters in a target by state", ["target", "state"] as const),
    conflicts: counter(metricNames.conflicts, "Conflicts that a target's lanes have decided", [
      "source",
      "target",
      "table",
      "policy",
      "outcome",
    ] as const),
    targetUp: gauge(metricNames.targetUp, "1 while the target answers", ["target"] as const),
    streamUp: gauge(metricNames.streamUp, "1 while the source's Redis answers", ["source"] as const),
    backlog: gauge(metricNames.relayBacklog, "Events in the outbox that some target hasn't applied", [
      "source",
    ] as const),
    oldest: gauge(metricNames.relayOldest, "Age of the oldest of them", ["source"] as const),
    heldLog: gauge(
      metricNames.relayHeldLog,
      "Bytes of the database's log that the source holds back for targets",
      ["source"] as const,
    ),
    published: counter(metricNames.relayPublished, "Events published to the stream", ["source"] as const),
    leader: gauge(metricNames.relayLeader, "1 while a relay leads the source", ["source"] as const),
  };

  const jobs = jobMetrics(gauge, counter);

  // Reset and filled without a pause in between, so that two scrapes at once never print a half.
  function fill(
    observations: readonly SourceObservation[],
    observed: readonly (JobsObservation | undefined)[],
  ): void {
    for (const metric of Object.values(m)) metric.reset();
    for (const observation of observations) {
      fillRelay(observation);
      fillLanes(observation);
      fillTargets(observation);
    }
    jobs.fill(observed);
  }

  function fillRelay({ source: { name: source }, redis }: SourceObservation): void {
    m.streamUp.set({ source }, redis.ok ? 1 : 0);
    const relay = redis.ok ? redis.value.relay : undefined;
    m.leader.set({ source }, relay?.leader ? 1 : 0);
    if (relay === undefined) return;
    m.backlog.set({ source }, relay.backlogEvents);
    m.oldest.set({ source }, relay.backlogOldestMs / 1000);
    m.heldLog.set({ source }, relay.heldLogBytes ?? 0);
    m.published.inc({ source }, relay.total);
  }

  function fillLanes({ redis }: SourceObservation): void {
    for (const lane of redis.ok ? redis.value.lanes : []) {
      const labels = { source: lane.source, target: lane.target, partition: String(lane.partition) };
      // Left out where nobody knows: 0 would say that all is well.
      if (lane.lagMs !== null) m.lag.set(labels, lane.lagMs / 1000);
      if (lane.eventsBehind !== null) m.behind.set(labels, lane.eventsBehind);
      m.records.inc(labels, lane.recordsSynced);
      m.errors.inc(labels, lane.errorCount);
      for (const { table, policy, outcome, count } of lane.conflicts ?? [])
        m.conflicts.inc({ source: lane.source, target: lane.target, table, policy, outcome }, count);
      for (const state of laneStates) m.state.set({ ...labels, state }, lane.state === state ? 1 : 0);
    }
  }

  function fillTargets({ targets }: SourceObservation): void {
    for (const { target, answer } of targets) {
      m.targetUp.set({ target: target.name }, answer.ok ? 1 : 0);
      if (!answer.ok) continue;
      for (const [state, count] of Object.entries(answer.value.letters))
        m.letters.set({ target: target.name, state }, count);
    }
  }

  return {
    contentType: registry.contentType,
    async render(observations, observed = []) {
      fill(observations, observed);
      // prom-client prints "Nan", which strict parsers of the format refuse.
      return (await registry.metrics()).replaceAll(/ Nan$/gm, " NaN");
    },
  };
}
