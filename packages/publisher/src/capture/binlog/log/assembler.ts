import {
  LockstepError,
  tableId,
  type LogEnd,
  type LoggedEvent,
  type TableSchema,
  positionOf,
} from "@lockstep/core";
import { type EventHeader, eventType, headerOf } from "../event/event-header.js";
import { groupStartOf } from "../event/gtid-event.js";
import { meaningOf, type StatementMeaning, statementOf } from "../event/query-event.js";
import { rowsOf, rowsOpOf, tableIdOf } from "../event/rows-event.js";
import { type TableMapHead, tableMapHead } from "../event/table-map.js";
import { outOfPlace, preparedElsewhere, refuseUnlessWithoutRows } from "../event/unreadable.js";
import { traceBehind } from "../../trace/trace-comment.js";
import type { ReadableTable } from "../table/tables.js";
import { FileFollower } from "./file-follower.js";
import type { LogContext, Scanned } from "./log-context.js";
import { OpenTransaction } from "./open-transaction.js";
import { outcomeOf } from "./outcome.js";
import { placeOf, tickAt } from "./place.js";
import { ownTable, takeRow, type Watched } from "./watched.js";

/** Events of a transaction a reader may have at most without knowing how it ends. */
const maxHeldEvents = 2_000;
const maxHeldBytes = 4 * 1024 * 1024;
/** Events of a settled transaction that go on together. */
const partEvents = 500;
const partBytes = 1024 * 1024;

/** Id in an event that only ends a statement. */
const noTable = 0xff_ffff;

/** Puts the log's events together to whole transactions of captured tables. */
export class Assembler {
  readonly follower: FileFollower;
  /** Where the last transaction ended. Not what went ahead of one under way: from here everything of it comes again. */
  scanned: Scanned;
  /** What was sent so far. */
  private sent: Pick<Scanned, "total" | "last">;
  private readonly from: bigint;
  /** Where the log ends for its readers, and the count there; `undefined` until its mark is met. */
  end: LogEnd | undefined;
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
    this.sent = start;
    this.from = start.boundary;
    this.follower = new FileFollower(file);
  }

  /** Takes the next event. A promise when the database had to be asked. */
  push(event: Buffer): Promise<void> | undefined {
    // Nothing behind the end is taken, and no place behind it is kept: whoever reads the log again must meet the mark again.
    if (this.end !== undefined) return undefined;
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
      case eventType.mariadbAnnotateRows:
      case eventType.rowsQuery:
        return this.annotated(follower.bodyOf(event));
      case eventType.tableMap:
        return this.tableMap(tableMapHead(follower.bodyOf(event)));
      case eventType.xid:
        return this.finish();
      case eventType.xaPrepare:
        return this.prepared(follower.bodyOf(event)[0] === 1);
      default:
        if (rowsOpOf(header.type)) return this.rows(header, follower.bodyOf(event), begins);
        refuseUnlessWithoutRows(header.type, header.isIgnorable);
        return this.reach();
    }
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
    this.open.isPassed = tick < this.from;
    this.watched.clear();
    return undefined;
  }

  /** The text of the statement that the rows which follow are from. */
  private annotated(text: Buffer): undefined {
    const traceparent = this.open && traceBehind(text);
    if (traceparent !== undefined) this.open!.header.traceparent ??= traceparent;
    return this.reach();
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

  private async truncate(table: Pick<TableSchema, "namespace" | "name">): Promise<void> {
    const schema = this.context.tables.isCaptured(table)
      ? await this.context.tables.newest(table)
      : undefined;
    if (schema && this.open && !this.open.isPassed) {
      this.open.add({ op: "truncate", table, fingerprint: schema.fingerprint, key: "[]", ordinal: 1 });
    }
    return this.finish();
  }

  private sayRemoved({ tables, database }: Extract<StatementMeaning, { is: "removal" }>): void {
    const { source, logger, tables: known } = this.context;
    const named = database === undefined ? tables : known.within(database);
    const lost = named.filter((table) => known.isCaptured(table)).map(tableId);
    if (lost.length === 0) return;
    logger.error(
      { source, tables: lost, transaction: this.open?.header.id },
      "a statement took rows away, or put others in their place, that the log does not list: verify and repair the targets",
    );
  }

  private tableMap(head: TableMapHead): Promise<void> | undefined {
    const own = ownTable(this.context, head);
    if (own === undefined && !this.context.tables.isCaptured(head)) {
      this.watched.set(head.id, undefined);
      return undefined;
    }
    const watch = (table: ReadableTable): void => void this.watched.set(head.id, { own, table });
    const known = this.context.tables.known(head);
    if (known) return void watch(known);
    return this.context.tables.readable(head, this.follower.flavour).then(watch);
  }

  private rows(header: EventHeader, body: Buffer, begins: number): Promise<void> | undefined {
    const table = tableIdOf(body);
    const watched = this.watched.get(table);
    const { open } = this;
    if (!open || !(this.watched.has(table) || table === noTable)) throw outOfPlace();
    if (!watched || open.isPassed) return undefined;
    for (const row of rowsOf(header.type, body, watched.table.cells)) {
      // Bytes from the transaction's begin: the same whatever tables are captured (PROTOCOL.md 2).
      const ordinal = begins - open.offset + row.at;
      if (open.isDropped?.(ordinal) === true) continue;
      takeRow(this.context, open, watched, header.type, row, ordinal);
    }
    if (open.isSettled) return this.flush();
    if (open.length > maxHeldEvents || open.bytes > maxHeldBytes) return this.settle(open);
    return undefined;
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
    if (open?.endsLog === true) this.end = { end: this.sent.last, total: this.sent.total };
    else if (follower.boundary > this.scanned.boundary) {
      this.scanned = { ...this.sent, boundary: follower.boundary };
    }
    return undefined;
  }

  private send(open: OpenTransaction, isEnd: boolean): void {
    const { bytes } = open;
    const events = open.take(this.sent.total, isEnd);
    const last = events.at(-1);
    if (!last) return;
    this.sent = { total: last.total, last: positionOf(last.tick, last.ordinal) };
    this.emit(events, bytes);
  }
}
