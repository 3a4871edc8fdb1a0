export type { Environment } from "./environment.js";
export { loadConfig, parseConfig } from "./load-config.js";
export { defineConfig, type LockstepConfig, type LockstepConfigInput } from "./schema.js";
