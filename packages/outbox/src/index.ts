export {
  coverageOf,
  coverageOfTransactions,
  nothingWritten,
  refuseLongWindow,
  type TransactionCount,
  writtenUncaptured,
} from "./coverage-finding.js";
export { examineMysql, type MysqlExamineOptions } from "./mysql/examine/examine.js";
export { examinePostgres, type PostgresExamineOptions } from "./postgres/examine/examine.js";
export { mysqlRowEmitter } from "./mysql/row-emitter.js";
export { postgresRowEmitter } from "./postgres/row-emitter.js";
export { mysqlChangedRows } from "./mysql/changed-rows.js";
export { postgresChangedRows } from "./postgres/changed-rows.js";
export { mysqlImageWriter } from "./mysql/image-writer.js";
export { postgresImageWriter } from "./postgres/image-writer.js";
export { postgresBulkReader } from "./postgres/bulk/bulk-reader.js";
export { mysqlBulkReader } from "./mysql/bulk/bulk-reader.js";
export { mysqlReader } from "./mysql/reader.js";
export { postgresReader } from "./postgres/reader.js";
export { postgresChangeLog, type PostgresChangeLogOptions } from "./postgres/change-log.js";
export type { PostgresConnection } from "./postgres/connections.js";
export type { PostgresOutboxOptions } from "./postgres/outbox-names.js";
export { postgresOutboxWriter } from "./postgres/outbox-writer.js";
export { postgresJobStore, type PostgresJobStoreOptions } from "./postgres/jobs.js";
export { postgresSnapshotWriter } from "./postgres/snapshot-writer.js";
export { postgresTriggers } from "./postgres/trigger/postgres-triggers.js";
export { postgresVersionTriggers } from "./postgres/two-way/version-triggers.js";
export { lasting, type Lasting } from "./lasting.js";
export { sayingWhoIsWaitedFor } from "./waited-for.js";
export type { Retention } from "./retention.js";
export { mysqlTriggers } from "./mysql/trigger/mysql-triggers.js";
export { mysqlVersionTriggers } from "./mysql/two-way/version-triggers.js";
export { mysqlJobStore, type MysqlJobStoreOptions } from "./mysql/jobs.js";
export { mysqlSnapshotWriter } from "./mysql/snapshot-writer.js";
export type { MysqlOutboxOptions } from "./mysql/outbox-place.js";
export { mysqlOutboxWriter } from "./mysql/outbox-writer.js";
export { mysqlChangeLog, type MysqlChangeLogOptions } from "./mysql/change-log.js";
export type { MysqlConnection } from "./mysql/connections.js";
