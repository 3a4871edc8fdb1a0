export { examineSource, type Examined, type Watch } from "../examine/examine-source.js";
export { warnAtStart } from "../examine/warn-at-start.js";
export { captureOf } from "./capture-of.js";
export type { CaptureSource, SourceCapture } from "./source-capture.js";
export { sourceOfUrl } from "./source-of-url.js";
