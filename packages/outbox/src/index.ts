export { postgresOutboxWriter, type PostgresOutboxOptions } from "./postgres/outbox-writer.js";
