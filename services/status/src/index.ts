export type { NamedToken, StatusLimits, StatusReader, StatusServerOptions, StatusSource } from "./options.js";
export { createStatusServer, type StatusServer } from "./server.js";
