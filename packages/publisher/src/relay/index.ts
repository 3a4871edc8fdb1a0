export { defaultRelayLimits, type RelayLimits } from "./limits.js";
export type { QueueJob } from "./queue/job-of.js";
export type { QueueFeed } from "./queue/queue-feed.js";
export type { RelayStatus } from "./relay-status.js";
export { startRelay, type Relay, type RelayOptions } from "./relay.js";
