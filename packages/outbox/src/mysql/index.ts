export {
  connectionsTo,
  type Connections,
  type MysqlConnection,
  type MysqlSession,
  unavailable,
} from "./connections.js";
export { cellOf } from "./cell.js";
export { mysqlColumnKind } from "./column-kind.js";
export { tableNames, type TableNames } from "./ddl.js";
export { binlogFindings } from "./examine/binlog.js";
export { countedChanges, notCounted } from "./examine/watch-writes.js";
export { openTransactionsOfOthers } from "./in-the-way.js";
export { incarnationOf } from "./incarnation.js";
export { endKey } from "../kept-capture.js";
export { captureMoved, leadAs, mayLead, refuseEnded } from "../log-term.js";
export { candidateOf } from "./lead.js";
export { readKept } from "./kept-query.js";
export { isOwnTable, type MysqlOutboxOptions, outboxPlace, type OutboxPlace } from "./outbox-place.js";
export { registerSchemas } from "./outbox-writer.js";
export { quoteName, quoteText } from "./quote.js";
export {
  acknowledgeTargets,
  forgetTarget,
  keepPartitions,
  listTargets,
  readPartitions,
  registerTarget,
} from "./registry.js";
export { readSchemas } from "./schemas.js";
