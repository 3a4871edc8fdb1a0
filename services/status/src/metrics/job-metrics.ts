import { liveStates, metricNames } from "@lockstep/core";
import type { Counter, Gauge } from "prom-client";
import type { JobsObservation } from "../jobs/observe-jobs.js";

type Make<M> = (name: string, help: string, labels: readonly string[]) => M;

/** Metrics of jobs and schedules. */
export function jobMetrics(
  gauge: Make<Gauge>,
  counter: Make<Counter>,
): { fill(observations: readonly (JobsObservation | undefined)[]): void } {
  const ofKind = ["source", "kind"] as const;
  const ofSchedule = ["source", "schedule"] as const;
  const m = {
    rows: gauge(metricNames.jobRows, "Rows that a live job has copied or compared", ofKind),
    expected: gauge(metricNames.jobExpectedRows, "Rows that it will be, by the source's statistics", ofKind),
    rate: gauge(metricNames.jobRate, "Rows a second", ofKind),
    live: gauge(metricNames.jobsLive, "Jobs that are running or paused", [...ofKind, "state"]),
    ended: gauge(metricNames.jobEnded, "When the last job of a kind ended", ofKind),
    ok: gauge(metricNames.jobOk, "1 when it was done, 0 when it failed or was cancelled", ofKind),
    different: gauge(metricNames.jobDifferent, "Rows that the last verify or repair found to differ", ofKind),
    scheduleEnded: gauge(metricNames.scheduleEnded, "When the last job of a schedule ended", ofSchedule),
    scheduleOk: gauge(
      metricNames.scheduleOk,
      "1 when it was done, 0 when it failed or was cancelled",
      ofSchedule,
    ),
    missed: counter(metricNames.scheduleMissed, "Runs that were due and didn't happen", ofSchedule),
  };

  function fillJobs({ source, live, ended }: JobsObservation): void {
    for (const { kind, state, sums, report } of live) {
      m.rows.set({ source, kind }, sums.rows);
      if (sums.expectedRows !== undefined) m.expected.set({ source, kind }, sums.expectedRows);
      if (report !== undefined) m.rate.set({ source, kind }, report.rowsPerSecond);
      for (const one of liveStates) m.live.set({ source, kind, state: one }, one === state ? 1 : 0);
    }
    for (const { kind, state, finishedAt, sums } of ended) {
      if (finishedAt !== undefined) m.ended.set({ source, kind }, finishedAt / 1000);
      m.ok.set({ source, kind }, state === "done" ? 1 : 0);
      if (sums.differentRows !== undefined) m.different.set({ source, kind }, sums.differentRows);
    }
  }

  function fillSchedules({ source, schedules }: JobsObservation): void {
    for (const { name: schedule, missed, last } of schedules) {
      m.missed.inc({ source, schedule }, missed);
      // Of one that is still running nothing can be said.
      if (last?.finishedAt === undefined) continue;
      m.scheduleEnded.set({ source, schedule }, last.finishedAt / 1000);
      m.scheduleOk.set({ source, schedule }, last.state === "done" ? 1 : 0);
    }
  }

  return {
    fill(observations) {
      for (const metric of Object.values(m)) metric.reset();
      for (const observation of observations) {
        if (observation === undefined) continue;
        fillJobs(observation);
        fillSchedules(observation);
      }
    },
  };
}
