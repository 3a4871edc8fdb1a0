export { defaultRelayLimits, type RelayLimits } from "./limits.js";
export { openQueues, type OpenQueues, type QueueLink } from "./queue/open-queues.js";
export type { QueueFeed } from "./queue/queue-feed.js";
export type { RelayStatus } from "./relay-status.js";
export { isSwitchedOff } from "../switches.js";
export { startRelay, type Relay, type RelayOptions } from "./relay.js";
