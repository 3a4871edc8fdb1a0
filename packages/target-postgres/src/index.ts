export { postgresTarget, type PostgresTargetOptions } from "./postgres-target.js";
