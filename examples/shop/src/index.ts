export * from "./entities.js";
export * from "./shop.js";
export * from "./load.js";
export { startCommand, startService } from "./demo/processes.js";
