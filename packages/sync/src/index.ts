export { compareTable, type ComparedTable, type LeftOut, type Sides } from "./digest/compared-table.js";
export { runFullSync, type FullSyncEnd, type FullSyncRoom, type SyncedTarget } from "./full/run-full-sync.js";
export {
  fullSyncKind,
  planFullSync,
  type FullSyncOptions,
  type FullSyncProgress,
  type SyncTarget,
  type TableProgress,
} from "./full/full-sync-job.js";
