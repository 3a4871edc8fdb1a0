import { LockstepError } from "@lockstep/core";
import { eventType } from "./event-header.js";

/** Events that change no rows, or none that another event doesn't tell of. */
const withoutRows: ReadonlySet<number> = new Set([
  eventType.stop,
  eventType.intvar,
  eventType.rand,
  eventType.userVar,
  eventType.heartbeat,
  eventType.ignorable,
  eventType.rowsQuery,
  eventType.previousGtids,
  eventType.transactionContext,
  eventType.viewChange,
  eventType.heartbeatV2,
  eventType.mariadbAnnotateRows,
  eventType.mariadbBinlogCheckpoint,
  eventType.mariadbGtidList,
  eventType.mariadbStartEncryption,
]);

const reasons: Readonly<Record<number, string>> = {
  [eventType.transactionPayload]: "binlog_transaction_compression must be OFF",
  [eventType.partialUpdateRows]: "binlog_row_value_options must be empty",
  [eventType.incident]: "the server says that it lost changes here",
  [eventType.executeLoadQuery]:
    "LOAD DATA was logged as a statement: binlog_format must be ROW in every session",
};

/**
 * Lets pass what changes no rows. Everything else that isn't read would be a silent gap.
 * @throws LockstepError CAPTURE_LOG_UNREADABLE.
 */
export function refuseUnlessWithoutRows(type: number, isIgnorable: boolean): void {
  if (withoutRows.has(type) || isIgnorable) return;
  const isCompressed =
    type >= eventType.mariadbQueryCompressed && type <= eventType.mariadbDeleteRowsCompressedV2;
  const reason = isCompressed ? "log_bin_compress must be OFF" : (reasons[type] ?? "its kind is not known");
  throw new LockstepError("CAPTURE_LOG_UNREADABLE", `an event of type ${type} can't be read: ${reason}`);
}

/** Rows whose fate stands elsewhere in the log. */
export function preparedElsewhere(): LockstepError {
  return new LockstepError(
    "CAPTURE_LOG_UNREADABLE",
    "an XA transaction was prepared: the log doesn't say with its rows whether they were committed",
  );
}

/** Rows that stand outside of a transaction, or whose table was not described before them. */
export function outOfPlace(): LockstepError {
  return new LockstepError(
    "CAPTURE_LOG_UNREADABLE",
    "rows stand in the log without their transaction or table",
  );
}
