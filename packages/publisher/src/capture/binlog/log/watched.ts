import { LockstepError, type Op, opOfLetter, tableId, type TableSchema } from "@lockstep/core";
import { endKey } from "@lockstep/outbox/mysql";
import { versionText } from "../../pending-versions.js";
import { type LoggedRow, rowsOpOf } from "../event/rows-event.js";
import type { TableMapHead } from "../event/table-map.js";
import type { ReadableTable } from "../table/tables.js";
import type { LogContext } from "./log-context.js";
import type { OpenTransaction } from "./open-transaction.js";

/** Lockstep's own tables that say something about the changes beside them. */
type OwnTable = "outbox" | "schemas" | "checkpoint" | "version";

/** A table whose rows are read. */
export interface Watched {
  /** Absent for captured tables. */
  readonly own?: OwnTable | undefined;
  readonly table: ReadableTable;
}

/** The table that targets on MySQL keep their checkpoints in. */
const checkpointTable = "lockstep_checkpoint";
/** And the versions of two-way rows. */
const versionTable = "lockstep_row_version";

/** Which of Lockstep's own tables this is; `undefined`: none that is read. */
export function ownTable(
  { database, place: { prefix, table } }: Pick<LogContext, "database" | "place">,
  { namespace, name }: TableMapHead,
): OwnTable | undefined {
  if (namespace !== database) return undefined;
  if (name === table) return "outbox";
  if (name === `${prefix}table_schema`) return "schemas";
  if (name === versionTable) return "version";
  return name === checkpointTable ? "checkpoint" : undefined;
}

/** Takes a row into its transaction. `type`: of the event it stands in. */
export function takeRow(
  context: LogContext,
  open: OpenTransaction,
  { own, table }: Watched,
  type: number,
  row: LoggedRow,
  ordinal: number,
): void {
  if (own === undefined) takeCaptured(open, table, type, row, ordinal);
  else takeOwn(context, open, own, table, type, row, ordinal);
}

function takeCaptured(
  open: OpenTransaction,
  { schema, key }: ReadableTable,
  type: number,
  row: LoggedRow,
  ordinal: number,
): void {
  const keyOf = (cells: LoggedRow["before"]): string => JSON.stringify(key.map((i) => cells![i]));
  const op = rowsOpOf(type)!;
  const before = row.before && keyOf(row.before);
  const { fingerprint } = schema!;
  if (op === "delete") {
    open.add({ op, table: schema!, fingerprint, key: before!, ordinal });
    return;
  }
  const after = row.after!;
  if (row.isPartial) refuseUnknown(op, schema!, after);
  // A minimal image leaves the key out where it is as before.
  if (row.before) for (const i of key) if (after[i] === 0) after[i] = row.before[i]!;
  const now = keyOf(after);
  open.add({
    op,
    table: schema!,
    fingerprint,
    key: now,
    image: JSON.stringify(after),
    before: before === now ? undefined : before,
    ordinal,
  });
}

/**
 * What an UPDATE leaves out is as it was, but for what the server computes; what an INSERT leaves out is a default that the log doesn't name, and a target
 * would take its own for it.
 */
function refuseUnknown(op: Op, schema: TableSchema, after: readonly (string | null | 0)[]): void {
  const isUnknown = (cell: string | null | 0, i: number): boolean =>
    cell === 0 && (op === "insert" || schema.columns[i]!.generated === true);
  if (after.some(isUnknown)) throw notWhole(tableId(schema));
}

function notWhole(table: string): LockstepError {
  return new LockstepError(
    "CAPTURE_LOG_UNREADABLE",
    `a session logged rows of ${table} without all of their columns: binlog_row_image must be FULL in every session`,
  );
}

type Cells = (name: string) => string | undefined;

function takeOwn(
  context: LogContext,
  open: OpenTransaction,
  own: OwnTable,
  { map }: ReadableTable,
  type: number,
  { after }: LoggedRow,
  ordinal: number,
): void {
  if (after === undefined) return;
  const cell: Cells = (name) => {
    const value = after[map.columns.findIndex((column) => column.name === name)];
    return typeof value === "string" ? value : undefined;
  };
  const isInsert = rowsOpOf(type) === "insert";
  // A transaction that moves a checkpoint here is Lockstep's own (PROTOCOL.md 37).
  if (own === "checkpoint") open.header.origin ??= cell("source") ?? "";
  else if (own === "schemas" && isInsert) {
    context.tables.capture(JSON.parse(cell("definition")!) as TableSchema);
  } else if (own === "version") {
    if (after.includes(0)) throw notWhole(versionTable);
    takeVersion(open, cell);
  }
  // Marking a row or removing it is no event.
  else if (own === "outbox" && isInsert) takeOutboxRow(context, open, cell, ordinal);
}

function takeVersion(open: OpenTransaction, cell: Cells): void {
  const version = versionText({
    stamp: cell("stamp"),
    node: cell("node"),
    seen: cell("seen"),
    from: cell("came_from"),
  });
  if (version !== undefined) open.addVersion(cell("table_name")!, cell("row_key")!, version);
}

/** A marker is about no table. */
const noTable = { namespace: "", name: "" };

/** What backfill, repair and barriers wrote takes its place in the order (PROTOCOL.md 27). */
function takeOutboxRow({ tables }: LogContext, open: OpenTransaction, cell: Cells, ordinal: number): void {
  const fingerprint = cell("fingerprint")!;
  const op = opOfLetter(cell("op")!);
  const table = op === "barrier" ? noTable : tables.named(fingerprint);
  if (!op || !table) {
    throw new LockstepError("STREAM_SCHEMA_UNKNOWN", "an event names a schema that the outbox doesn't know");
  }
  const traceparent = cell("traceparent");
  const origin = cell("origin");
  if (traceparent !== undefined) open.header.traceparent ??= traceparent;
  if (origin !== undefined) open.header.origin ??= origin;
  const [image, before, version] = [cell("image"), cell("before_key"), cell("version")];
  const audience = cell("audience")?.split(" ");
  const key = cell("row_key")!;
  open.add({ op, table, fingerprint, key, image, before, version, ordinal, audience });
  // What comes behind it is another log's to give (PROTOCOL.md 27).
  if (op === "barrier" && key === endKey) open.endsLog = true;
}
