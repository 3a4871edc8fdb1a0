export type { Freshness } from "./freshness/freshness.js";
export { laneFreshness, laneProgress, type LaneSource, type LaneTarget } from "./freshness/lane-freshness.js";
export { mysqlReplica, type MysqlReplicaOptions } from "./freshness/mysql-replica.js";
export { postgresStandby } from "./freshness/postgres-standby.js";
export { inTime, untilItHas } from "./freshness/until-it-has.js";
export { readDefaults, type ReadOptions, type ReplicaChoice } from "./options.js";
export { replicaReads, type ReplicaReads } from "./replica-reads.js";
export type { PrimaryReason, ReadStatus } from "./status.js";
export type { OutOfRotation } from "./replica.js";
