/** Names of spans, as they appear in traces. */
export const spanNames = {
  capture: "lockstep capture",
  publish: "lockstep publish",
  apply: "lockstep apply",
} as const;

/** Names of metrics, in Prometheus' form; units are in the names. Labels: source, target, partition, and what the doc says. */
export const metricNames = {
  laneLag: "lockstep_lane_lag_seconds",
  laneEventsBehind: "lockstep_lane_events_behind",
  laneState: "lockstep_lane_state",
  laneRecords: "lockstep_lane_records_total",
  laneErrors: "lockstep_lane_errors_total",
  letters: "lockstep_dead_letters",
  /** Labels: source, target, table, policy, outcome. */
  conflicts: "lockstep_conflicts_total",
  /** 1 while the target answers the status service, else 0. */
  targetUp: "lockstep_target_up",
  /** 1 while the source's Redis answers the status service, else 0. */
  streamUp: "lockstep_stream_up",
  relayBacklog: "lockstep_relay_backlog_events",
  relayOldest: "lockstep_relay_backlog_oldest_seconds",
  relayHeldLog: "lockstep_relay_held_log_bytes",
  relayPublished: "lockstep_relay_published_events_total",
  relayLeader: "lockstep_relay_leader",
  /** Of live jobs, as the next three. Labels: source, kind. */
  jobRows: "lockstep_job_rows",
  jobExpectedRows: "lockstep_job_expected_rows",
  jobRate: "lockstep_job_rows_per_second",
  /** Labels: source, kind, state. */
  jobsLive: "lockstep_jobs_live",
  /** Of the last job that ended. Labels: source, kind. */
  jobEnded: "lockstep_job_last_end_timestamp_seconds",
  /** 1: it was done. */
  jobOk: "lockstep_job_last_ok",
  /** Rows that it found to differ. */
  jobDifferent: "lockstep_job_last_different_rows",
  /** Of a schedule's last job. Labels: source, schedule. */
  scheduleEnded: "lockstep_schedule_last_end_timestamp_seconds",
  scheduleOk: "lockstep_schedule_last_ok",
  scheduleMissed: "lockstep_schedule_missed_runs_total",
} as const;
