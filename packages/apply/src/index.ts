export { defaultLaneLimits, type LaneLimits, type LaneOptions } from "./lane-options.js";
export { laneId, startLane, type Lane } from "./lane.js";
export type { BatchLimits } from "./batch/cut-batch.js";
export type { RefusalLimits } from "./write/refusal-window.js";
