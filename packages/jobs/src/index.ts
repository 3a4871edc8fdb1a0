export { capturedTables, watchedTables } from "./source/captured-tables.js";
export { type ChosenSource, chooseSources } from "./source/choose-sources.js";
export { comparedSources, readableTargets } from "./compare/pairs.js";
export { type DriveOptions, driveJob, type OnProgress } from "./drive-job.js";
export type { JobEnd, JobSums } from "./kind/job-kind.js";
export { sumsOf } from "./kind/job-kinds.js";
export { type OpenSync, withSync } from "./open-sync.js";
export { type JobRequest, startJob } from "./start-job.js";
