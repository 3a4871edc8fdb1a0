export { boundHeap } from "./bound-heap.js";
export { type Running, runProcess, type ServiceContext } from "./run-process.js";
export { startTelemetry, type StopTelemetry } from "./telemetry.js";
export { type ConfiguredTarget, makeOwnTables, nodeNamespace, targetsOf } from "./targets.js";
