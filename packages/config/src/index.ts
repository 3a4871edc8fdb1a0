export type { Environment } from "./environment.js";
export { loadConfig, parseConfig } from "./load-config.js";
// What mappings are written with.
export { mapTable, type SourceRow, type TableMapping } from "@lockstep/core";
// What conflict policies are made by.
export {
  type ColumnRule,
  type ConflictFunction,
  type ConflictPolicy,
  lastWriteWins,
  merge,
  newest,
  primaryWins,
} from "@lockstep/core";
export { defineConfig, type LockstepConfig, type LockstepConfigInput } from "./schema.js";
export { type JobKindName, type JobOptions, jobOptions } from "./schedule/job-options.js";
export { jobRequestForm, type JobRequest, parseJobRequest } from "./schedule/job-request.js";
export { type Schedule, sourceOf } from "./schedule/schedule-schema.js";
export { dueBetween, nextRun, windowAt, type WindowState } from "./schedule/schedule-times.js";
