export { examineMysql, type MysqlExamineOptions } from "./mysql/examine/examine.js";
export { examinePostgres, type PostgresExamineOptions } from "./postgres/examine/examine.js";
export { postgresChangeLog, type PostgresChangeLogOptions } from "./postgres/change-log.js";
export type { PostgresConnection } from "./postgres/connections.js";
export { postgresOutboxWriter, type PostgresOutboxOptions } from "./postgres/outbox-writer.js";
export type { Retention } from "./retention.js";
export { mysqlOutboxWriter, type MysqlOutboxOptions } from "./mysql/outbox-writer.js";
export { mysqlChangeLog, type MysqlChangeLogOptions } from "./mysql/change-log.js";
export type { MysqlConnection } from "./mysql/connections.js";
