export { defaultRelayLimits, type RelayLimits } from "./limits.js";
export type { QueueFeed, QueueJob } from "./queue-feed.js";
export type { RelayStatus } from "./relay-status.js";
export { startRelay, type Relay, type RelayOptions } from "./relay.js";
