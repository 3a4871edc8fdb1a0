export { compareTable, type ComparedTable, type LeftOut, type Sides } from "./digest/compared-table.js";
export { parentsFirst } from "./full/parents-first.js";
export type { BulkRoom } from "./full/bulk/bulk-room.js";
export { stoppedBy } from "./full/room.js";
export { runFullSync, type FullSyncEnd, type FullSyncRoom, type SyncedTarget } from "./full/run-full-sync.js";
export {
  fullSyncKind,
  planFullSync,
  type FullSyncOptions,
  type FullSyncProgress,
  type SyncTarget,
  type TableProgress,
} from "./full/full-sync-job.js";
export {
  incrementalKind,
  planIncremental,
  without,
  type IncrementalOptions,
  type IncrementalProgress,
  type IncrementalTable,
  type WatchedProgress,
} from "./incremental/incremental-job.js";
export { judgeTable, type WatchedSettings } from "./incremental/judge-table.js";
export { runIncremental, type IncrementalEnd, type IncrementalRoom } from "./incremental/run-incremental.js";
export { suggestion } from "./incremental/suggest.js";
export { repair, type Repaired } from "./repair/repair.js";
export type { Compared, VerifyOptions } from "./verify/compared.js";
export type { Place, VerifyProgress } from "./verify/progress.js";
export type { ReportedRow, TableReport, VerifyReport } from "./verify/report.js";
export { verify } from "./verify/verify.js";
export { type Pass, passage } from "./passage.js";
