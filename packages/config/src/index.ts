export type { Environment } from "./environment.js";
export { loadConfig, parseConfig } from "./load-config.js";
// What mappings are written with.
export { mapTable, type SourceRow, type TableMapping } from "@lockstep/core";
export { defineConfig, type LockstepConfig, type LockstepConfigInput } from "./schema.js";
export { type JobKindName, type JobOptions, jobOptions } from "./job-options.js";
