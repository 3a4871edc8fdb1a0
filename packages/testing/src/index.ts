export { eventually, type EventuallyOptions } from "./eventually.js";
export { startProxy, type FaultProxy, type ProxyTarget } from "./fault-proxy/fault-proxy.js";
export { ServerUnavailableError } from "./servers/binaries/server-unavailable.js";
export { freshMariaDb, freshPostgres, freshRedis, type FreshDatabase } from "./servers/fresh-database.js";
export { startMariaDb } from "./servers/mariadb.js";
export { startPostgres } from "./servers/postgres.js";
export { startRedis } from "./servers/redis.js";
export type { RunningServer, ServerKind, ServerOptions } from "./servers/running-server.js";
