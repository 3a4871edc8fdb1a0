import {
  LockstepError,
  tableId,
  type LoggedEvent,
  type Logger,
  type Position,
  positionOf,
  type TableSchema,
} from "@lockstep/core";
import { type Connections, opOfLetter, type TableNames } from "@lockstep/outbox/mysql";
import { type EventHeader, eventType, headerOf } from "../event/event-header.js";
import { groupStartOf } from "../event/gtid-event.js";
import { meaningOf, type StatementMeaning, statementOf } from "../event/query-event.js";
import { type LoggedRow, rowsOf, rowsOpOf, tableIdOf } from "../event/rows-event.js";
import { type TableMapHead, tableMapHead } from "../event/table-map.js";
import type { ReadableTable, Tables } from "../table/tables.js";
import { FileFollower } from "./file-follower.js";
import { OpenTransaction } from "./open-transaction.js";
import { outcomeOf } from "./outcome.js";
import { placeOf, tickAt } from "./place.js";

/** What all readers of a log share. */
export interface LogContext {
  readonly connections: Connections;
  readonly names: TableNames;
  /** Database of Lockstep's own tables. */
  readonly database: string;
  /** Beginning of their names. */
  readonly prefix: string;
  readonly tables: Tables;
  readonly source: string;
  readonly logger: Logger;
  readonly serverId?: number | undefined;
}

/** Where a reader stands: everything before the boundary is counted in the total. */
export interface Scanned {
  readonly boundary: bigint;
  readonly total: number;
  /** Position of the last event before the boundary. */
  readonly last: Position;
}

/** Events of a transaction a reader may have at most without knowing how it ends. */
const maxHeldEvents = 2_000;
const maxHeldBytes = 4 * 1024 * 1024;
/** Events of a settled transaction that go on together. */
const partEvents = 500;
const partBytes = 1024 * 1024;

type Own = "outbox" | "schemas" | "checkpoint";
type Watched =
  | { readonly own: Own; readonly table: ReadableTable }
  | { readonly own?: never; readonly table: ReadableTable };

/** Puts the log's events together to whole transactions of captured tables. */
export class Assembler {
  readonly follower: FileFollower;
  /** Where the last group ended. */
  scanned: Scanned;
  private open: OpenTransaction | undefined;
  private readonly watched = new Map<number, Watched | undefined>();

  constructor(
    private readonly context: LogContext,
    start: Scanned,
    file: string,
    /** Gets what is sure, in order. */
    private readonly emit: (events: readonly LoggedEvent[], bytes: number) => void,
  ) {
    this.scanned = start;
    this.follower = new FileFollower(file);
  }

  /** Takes the next event. A promise when the database had to be asked. */
  push(event: Buffer): Promise<void> | undefined {
    const header = headerOf(event);
    const { follower } = this;
    const begins = follower.advance(header);
    switch (header.type) {
      case eventType.rotate:
        this.open = undefined;
        follower.rotate(event, header.isArtificial);
        return this.reach();
      case eventType.formatDescription:
        this.open = undefined;
        follower.describe(event, header);
        return this.reach();
      case eventType.gtid:
      case eventType.anonymousGtid:
      case eventType.taggedGtid:
      case eventType.mariadbGtid:
        return this.begin(event, header, begins);
      case eventType.query:
        return this.statement(event);
      case eventType.tableMap:
        return this.tableMap(tableMapHead(follower.bodyOf(event)));
      case eventType.xid:
        return this.finish();
      case eventType.xaPrepare:
        return this.prepared(follower.bodyOf(event)[0] === 1);
      case eventType.partialUpdateRows:
      case eventType.transactionPayload:
      case eventType.mariadbStartEncryption:
        throw unreadable(header.type);
      default:
        break;
    }
    if (
      header.type >= eventType.mariadbQueryCompressed &&
      header.type <= eventType.mariadbDeleteRowsCompressedV2
    ) {
      throw unreadable(header.type);
    }
    if (rowsOpOf(header.type)) return this.rows(header, follower.bodyOf(event), begins);
    return this.reach();
  }

  /** Outside a transaction every event, and every heartbeat, moves the boundary. */
  private reach(): undefined {
    const { boundary } = this.follower;
    if (this.open === undefined && boundary > this.scanned.boundary)
      this.scanned = { ...this.scanned, boundary };
    return undefined;
  }

  private begin(event: Buffer, header: EventHeader, offset: number): undefined {
    const { follower } = this;
    const { gtid, isStandalone, isPrepared, at } = groupStartOf(
      header.type,
      follower.bodyOf(event),
      event.readUInt32LE(5),
    );
    const { file } = placeOf(follower.boundary);
    const tick = tickAt({ file, offset });
    this.open = new OpenTransaction(
      tick,
      offset,
      gtid ?? `${follower.base}.${file}:${offset}`,
      at ?? header.at * 1000,
    );
    this.open.isStandalone = isStandalone;
    this.open.isPrepared = isPrepared;
    this.watched.clear();
    return undefined;
  }

  private statement(event: Buffer): Promise<void> | undefined {
    const statement = statementOf(this.follower.bodyOf(event));
    const meaning = meaningOf(statement);
    const { open } = this;
    switch (meaning.is) {
      case "begin":
        if (open) open.hasBegun = true;
        return undefined;
      case "commit":
        return this.finish();
      case "rollback":
        this.open = undefined;
        return this.reach();
      case "savepoint":
        open?.savepoint(meaning.name);
        return undefined;
      case "rollback-to":
        if (open && !open.isSettled) open.rollbackTo(meaning.name);
        return undefined;
      case "truncate":
        return this.truncate(meaning.table);
      case "removal":
        this.sayRemoved(meaning);
        break;
      case "statement-format":
        throw new LockstepError(
          "CAPTURE_LOG_UNREADABLE",
          "a session logs statements instead of rows: binlog_format must be ROW in every session",
        );
      case "other":
        if (open && meaning.opens) open.hasBegun = true;
    }
    // A statement that commits by itself. MariaDB says so; on MySQL it is one that no BEGIN came before.
    const endsHere = this.follower.flavour === "mariadb" ? open?.isStandalone : open?.hasBegun === false;
    return endsHere === true ? this.finish() : undefined;
  }

  private async truncate(table: { readonly namespace: string; readonly name: string }): Promise<void> {
    const schema = this.context.tables.isCaptured(table)
      ? await this.context.tables.newest(table)
      : undefined;
    if (schema && this.open) {
      this.open.add({ op: "truncate", table, fingerprint: schema.fingerprint, key: "[]", ordinal: 1 });
    }
    return this.finish();
  }

  private sayRemoved({ tables }: Extract<StatementMeaning, { is: "removal" }>): void {
    const { source, logger } = this.context;
    const lost = tables.filter((table) => this.context.tables.isCaptured(table)).map(tableId);
    if (lost.length === 0) return;
    logger.error(
      { source, tables: lost, transaction: this.open?.header.id },
      "a statement removed rows that the log does not list: verify and repair the targets",
    );
  }

  private tableMap(head: TableMapHead): Promise<void> | undefined {
    const own = this.ownTable(head);
    if (own === undefined && !this.context.tables.isCaptured(head)) {
      this.watched.set(head.id, undefined);
      return undefined;
    }
    const watch = (table: ReadableTable): void =>
      void this.watched.set(head.id, own === undefined ? { table } : { own, table });
    const known = this.context.tables.known(head);
    if (known) return void watch(known);
    return this.context.tables.readable(head, this.follower.flavour).then(watch);
  }

  private ownTable({ namespace, name }: TableMapHead): Own | undefined {
    const { database, prefix } = this.context;
    if (namespace !== database) return undefined;
    if (name === `${prefix}outbox`) return "outbox";
    if (name === `${prefix}table_schema`) return "schemas";
    return name === checkpointTable ? "checkpoint" : undefined;
  }

  private rows(header: EventHeader, body: Buffer, begins: number): Promise<void> | undefined {
    const watched = this.watched.get(tableIdOf(body));
    const { open } = this;
    if (!watched || !open) return undefined;
    for (const row of rowsOf(header.type, body, watched.table.cells)) {
      // Bytes from the transaction's begin: the same whatever tables are captured (PROTOCOL.md 2).
      const ordinal = begins - open.offset + row.at;
      if (open.isDropped?.(ordinal) === true) continue;
      if (watched.own === undefined) addRow(open, watched.table, header.type, row, ordinal);
      else this.ownRow(open, watched.own, watched.table, header.type, row, ordinal);
    }
    if (open.isSettled) return this.flush();
    if (open.length > maxHeldEvents || open.bytes > maxHeldBytes) return this.settle(open);
    return undefined;
  }

  private ownRow(
    open: OpenTransaction,
    own: Own,
    { map }: ReadableTable,
    type: number,
    row: LoggedRow,
    ordinal: number,
  ): void {
    const cells = row.after;
    if (cells === undefined) return;
    const cell = (name: string): string | undefined => {
      const value = cells[map.columns.findIndex((column) => column.name === name)];
      return typeof value === "string" ? value : undefined;
    };
    switch (own) {
      case "checkpoint":
        // A transaction that moves a checkpoint here is Lockstep's own (PROTOCOL.md 37).
        open.header.origin ??= cell("source") ?? "";
        return;
      case "schemas": {
        if (rowsOpOf(type) !== "insert") return;
        this.context.tables.capture(JSON.parse(cell("definition")!) as TableSchema);
        return;
      }
      case "outbox":
        // Marking a row or removing it is no event.
        if (rowsOpOf(type) === "insert") this.outboxRow(open, cell, ordinal);
    }
  }

  /** What backfill, repair and barriers wrote takes its place in the order (PROTOCOL.md 27). */
  private outboxRow(
    open: OpenTransaction,
    cell: (name: string) => string | undefined,
    ordinal: number,
  ): void {
    const fingerprint = cell("fingerprint")!;
    const op = opOfLetter(cell("op")!);
    const table = this.context.tables.named(fingerprint);
    if (!op || !table) {
      throw new LockstepError(
        "STREAM_SCHEMA_UNKNOWN",
        "an event names a schema that the outbox doesn't know",
      );
    }
    const traceparent = cell("traceparent");
    const origin = cell("origin");
    if (traceparent !== undefined) open.header.traceparent ??= traceparent;
    if (origin !== undefined) open.header.origin ??= origin;
    open.add({
      op,
      table,
      fingerprint,
      key: cell("row_key")!,
      image: cell("image"),
      before: cell("before_key"),
      ordinal,
    });
  }

  /** Asks how the transaction ends before its beginning goes ahead: what went ahead can't be taken back (P1). */
  private async settle(open: OpenTransaction): Promise<void> {
    const { connections } = this.context;
    const outcome = await outcomeOf(connections, this.follower.base, open.tick);
    if (outcome.isPrepared) throw preparedElsewhere();
    if (!outcome.isCommitted) {
      this.open = undefined;
      return;
    }
    const isDropped = (ordinal: number): boolean =>
      outcome.dropped.some(({ from, to }) => ordinal + open.offset >= from && ordinal + open.offset < to);
    open.drop(isDropped);
    open.isDropped = isDropped;
    open.isSettled = true;
    this.flush();
  }

  private flush(): undefined {
    const { open } = this;
    if (open && (open.length > partEvents || open.bytes > partBytes)) this.send(open, false);
    return undefined;
  }

  private prepared(isOnePhase: boolean): undefined {
    if (isOnePhase) return this.finish();
    if (this.open && this.open.length > 0) throw preparedElsewhere();
    this.open = undefined;
    return this.reach();
  }

  private finish(): undefined {
    const { open, follower } = this;
    this.open = undefined;
    if (open?.isPrepared === true && open.length > 0) throw preparedElsewhere();
    if (open && open.length > 0) this.send(open, true);
    this.scanned = { ...this.scanned, boundary: follower.boundary };
    return undefined;
  }

  private send(open: OpenTransaction, isEnd: boolean): void {
    const { bytes } = open;
    const events = open.take(this.scanned.total, isEnd);
    const last = events.at(-1);
    if (!last) return;
    this.scanned = { ...this.scanned, total: last.total, last: positionOf(last.tick, last.ordinal) };
    this.emit(events, bytes);
  }
}

/** The table that targets on MySQL keep their checkpoints in. */
const checkpointTable = "lockstep_checkpoint";

function addRow(
  open: OpenTransaction,
  table: ReadableTable,
  type: number,
  row: LoggedRow,
  ordinal: number,
): void {
  const { schema, key } = table;
  const keyOf = (cells: LoggedRow["before"]): string => JSON.stringify(key.map((i) => cells![i]));
  const op = rowsOpOf(type)!;
  const before = row.before && keyOf(row.before);
  const fingerprint = schema!.fingerprint;
  if (op === "delete") {
    open.add({ op, table: schema!, fingerprint, key: before!, ordinal });
    return;
  }
  const after = row.after!;
  // A minimal image leaves the key out where it is as before.
  if (row.before) for (const i of key) if (after[i] === 0) after[i] = row.before[i]!;
  const now = keyOf(after);
  const image = JSON.stringify(after);
  open.add({
    op,
    table: schema!,
    fingerprint,
    key: now,
    image,
    before: before === now ? undefined : before,
    ordinal,
  });
}

function preparedElsewhere(): LockstepError {
  return new LockstepError(
    "CAPTURE_LOG_UNREADABLE",
    "an XA transaction was prepared: the log doesn't say with its rows whether they were committed",
  );
}

function unreadable(type: number): LockstepError {
  const setting =
    type === eventType.transactionPayload
      ? "binlog_transaction_compression must be OFF"
      : type === eventType.partialUpdateRows
        ? "binlog_row_value_options must be empty"
        : type === eventType.mariadbStartEncryption
          ? "the log is encrypted in a way the server doesn't undo for readers"
          : "log_bin_compress must be OFF";
  return new LockstepError("CAPTURE_LOG_UNREADABLE", `an event of type ${type} can't be read: ${setting}`);
}
