export { installCapture, type CaptureSettings, type InstalledCapture } from "./capture/subscriber/install-capture.js";
