export { dualWrite, type DualWrite, type DualWriteOptions } from "./applied/dual-write.js";
export type { Applied, AppliedOptions, AppliedTarget } from "./applied/when-applied.js";
export type { EntityChoice } from "./capture/subscriber/mapped-tables.js";
export type { WalRetention } from "./capture/wal/wal-retention.js";
export { lockstepMigration, type MigrationClass } from "./migration.js";
export { type PublishOptions, type RelayChoice } from "./options.js";
export { publishChanges } from "./publish-changes.js";
export type { Publisher, PublisherStatus } from "./publisher.js";
