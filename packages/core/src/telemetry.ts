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
  /** 1 while the target answers the status service, else 0. */
  targetUp: "lockstep_target_up",
  /** 1 while the source's Redis answers the status service, else 0. */
  streamUp: "lockstep_stream_up",
  relayBacklog: "lockstep_relay_backlog_events",
  relayOldest: "lockstep_relay_backlog_oldest_seconds",
  relayHeldLog: "lockstep_relay_held_log_bytes",
  relayPublished: "lockstep_relay_published_events_total",
  relayLeader: "lockstep_relay_leader",
} as const;
