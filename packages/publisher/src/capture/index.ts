export { captureOf } from "./capture-of.js";
export type { CaptureFinding, CapturePlan, CaptureSource, SourceCapture } from "./source-capture.js";
export { sourceOfUrl } from "./source-of-url.js";
