/**
 * What another log of the same database (the write-ahead log) shares with the outbox: connections, leadership, the registry of targets,
 * the incarnation, the schemas.
 */
export { bounded } from "./bounded.js";
export { transactionsInTheWay, type WaitedFor } from "./in-the-way.js";
export {
  connectionsTo,
  lockstepErrorOf,
  unavailable,
  type Connections,
  type PostgresConnection,
} from "./connections.js";
export { incarnationOf } from "./incarnation.js";
export { captureMoved, leadAs, mayLead, refuseEnded } from "../log-term.js";
export { endKey } from "../kept-capture.js";
export { type RowChange, unmarkedFingerprint, unpack } from "../pack.js";
export { readKept } from "./kept-query.js";
export { candidateOf } from "./lead.js";
export { type OutboxNames, outboxNames, type PostgresOutboxOptions } from "./outbox-names.js";
export { quoteName, quoteText } from "./quote.js";
export {
  acknowledgeTargets,
  forgetTarget,
  keepPartitions,
  listTargets,
  placeTarget,
  readPartitions,
} from "./registry.js";
export { readSchemas } from "./table-definition.js";
