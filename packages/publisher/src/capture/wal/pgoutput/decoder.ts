import {
  LockstepError,
  type LoggedChanges,
  type LoggedEvent,
  type LoggedPack,
  type Position,
  positionOf,
  tableId,
} from "@lockstep/core";
import { endKey, unmarkedFingerprint } from "@lockstep/outbox/postgres";
import { PendingVersions, versionText } from "../../pending-versions.js";
import type {
  CapturedRelation,
  OutboxRelation,
  OutboxSchema,
  Relation,
  Relations,
  VersionRelation,
} from "../relation/relation.js";
import { epochMs } from "../wire/replication.js";
import { type Cells, CellWriter } from "./cell-writer.js";
import type { Change } from "./change.js";
import { outboxEvents } from "./outbox-row.js";
import { readRelation } from "./relation-message.js";
import { traceOf } from "./trace-message.js";
import { isSameCell, Tuple } from "./tuple.js";

type Writable<T> = { -readonly [P in keyof T]: T[P] };
/** Changes whose place at the end of their transaction isn't known until the next message. */
type OpenChanges = Writable<LoggedEvent> | Writable<LoggedPack>;

/** About as much as a row of the outbox packs, and a few of its largest. */
const maxPack = { changes: 100, bytes: 16 * 1024 } as const;
/** The letters of the ops that are packed. */
const packLetters = { insert: 0x69, update: 0x75, delete: 0x64 } as const;

const letter = {
  begin: 0x42,
  commit: 0x43,
  insert: 0x49,
  update: 0x55,
  delete: 0x44,
  truncate: 0x54,
  relation: 0x52,
  message: 0x4d,
  newRow: 0x4e,
} as const;

/** What the decoder does with what it reads. */
export interface DecoderListener {
  /** Changes that are complete. */
  changes(changes: LoggedChanges): void;
  /** The first event of a transaction was met; `total`: events before it. */
  began(tick: bigint, total: number, at: number): void;
}

/**
 * Turns pgoutput's messages (protocol 1) into events. A transaction comes whole and in commit order; its first message names the place of
 * its commit record, so the positions of its events are known from the first on, however large it is.
 */
export class Decoder {
  readonly #relations = new Map<number, Relation>();
  readonly #row = new Tuple();
  readonly #old = new Tuple();
  readonly #writer = new CellWriter();
  /** Of the pack that is open. */
  readonly #lines = new CellWriter();
  readonly #versions = new PendingVersions();
  #transaction: Writable<LoggedEvent["transaction"]> = { id: "", at: 0 };
  #tick = 0n;
  #ordinal = 0;
  #open: OpenChanges | undefined;
  #pack: Writable<LoggedPack> | undefined;
  /** Tick of the newest transaction of which an event was met. */
  newest = 0n;
  isInTransaction = false;
  /** Everything whose commit record begins before this was read. */
  passed = 0n;
  /** Where the log ends for its readers; `undefined` until its mark is met. */
  end: Position | undefined;

  /** Tick of a transaction of which events were met and more may follow. */
  get openTick(): bigint | undefined {
    return this.isInTransaction && this.#ordinal > 0 ? this.#tick : undefined;
  }

  /** `total`: events of the source before the first one that is decoded. */
  constructor(
    private readonly known: Relations,
    private readonly listener: DecoderListener,
    public total: number,
  ) {}

  /** Reads one message. Gives a promise when the next one must wait for it. */
  message(bytes: Buffer, at: number): Promise<void> | undefined {
    switch (bytes[at]) {
      case letter.insert:
      case letter.update:
      case letter.delete:
        return this.#change(bytes, at);
      case letter.begin:
        return this.#begin(bytes, at + 1);
      case letter.commit:
        return this.#commit(bytes, at + 1);
      case letter.relation:
        return this.#relation(bytes, at + 1);
      case letter.truncate:
        return this.#truncate(bytes, at + 1);
      case letter.message:
        return this.#message(bytes, at + 1);
      default:
        // Types, origins: nothing that an event needs.
        return undefined;
    }
  }

  #begin(bytes: Buffer, at: number): undefined {
    this.#tick = bytes.readBigUInt64BE(at);
    this.#transaction = { id: String(bytes.readUInt32BE(at + 16)), at: timeOf(bytes, at + 8) };
    this.#ordinal = 0;
    this.#versions.clear();
    this.isInTransaction = true;
  }

  #commit(bytes: Buffer, at: number): undefined {
    this.isInTransaction = false;
    // A log that has ended is never confirmed beyond its mark: whoever reads it again must meet that again.
    if (this.end === undefined) this.passed = bytes.readBigUInt64BE(at + 9);
    if (this.#open === undefined) return;
    this.#open.endsTransaction = true;
    this.#open.endsTick = true;
    this.#close();
  }

  /** It stands behind the transaction's rows: events that went ahead of it, of a very large one, are without. */
  #message(bytes: Buffer, at: number): undefined {
    const traceparent = this.isInTransaction ? traceOf(bytes, at) : undefined;
    if (traceparent !== undefined) this.#transaction.traceparent = traceparent;
  }

  async #relation(bytes: Buffer, at: number): Promise<void> {
    const message = readRelation(bytes, at);
    this.#relations.set(message.id, await this.known.resolve(message));
  }

  #change(bytes: Buffer, at: number): Promise<void> | undefined {
    const relation = this.#relations.get(bytes.readUInt32BE(at + 1));
    const op = bytes[at];
    let p = at + 5;
    let old: Tuple | undefined;
    if (bytes[p] !== letter.newRow) {
      old = this.#old;
      p = old.read(bytes, p + 1);
    }
    if (op !== letter.delete) this.#row.read(bytes, p + 1);
    switch (relation?.kind) {
      case "captured":
        return this.#captured(bytes, op!, relation, old);
      case "checkpoint":
        return op === letter.delete ? undefined : this.#own(this.#row.text(bytes, relation.source));
      case "version":
        return op === letter.delete ? undefined : this.#version(bytes, relation);
      case "outbox":
        return op === letter.insert ? this.#outbox(bytes, relation) : undefined;
      default:
        return undefined;
    }
  }

  #captured(bytes: Buffer, op: number, relation: CapturedRelation, old: Tuple | undefined): undefined {
    const { table, key, booleans } = relation;
    if (relation.isBlind === true && op !== letter.insert) throw blind(table);
    const isDelete = op === letter.delete;
    const row = isDelete ? old! : this.#row;
    const cells = { bytes, row, old: isDelete ? undefined : old, key, booleans };
    const isMoved = !isDelete && old !== undefined && key.some((i) => !isUnchanged(bytes, old, row, i));
    const kind = isDelete ? "delete" : op === letter.insert ? "insert" : "update";
    if (isMoved || !this.#versions.isEmpty) this.#alone(kind, relation, cells, isMoved);
    else this.#packed(kind, relation, cells);
  }

  /** A change that has a key from before, or may have a version. */
  #alone(op: keyof typeof packLetters, relation: CapturedRelation, cells: Cells, isMoved: boolean): void {
    const { schema, table } = relation;
    const { key: _, ...whole } = cells;
    const writer = this.#writer;
    const key = writer.text(cells);
    const image = op === "delete" ? undefined : writer.text(whole);
    const version = this.#versions.take(table.name, key);
    const { bytes, old } = cells;
    if (!isMoved) return this.#emit({ op, schema, table, key, image, version });
    const before = writer.text({ ...cells, bytes, row: old!, old: undefined });
    return this.#emit({ op, schema, table, key, image, before });
  }

  /** A change like most, behind others of its table. */
  #packed(op: keyof typeof packLetters, { schema, table }: CapturedRelation, cells: Cells): void {
    if (this.end !== undefined) return;
    const { count = maxPack.changes, schema: last } = this.#pack ?? {};
    if (last !== schema || count >= maxPack.changes || this.#lines.length >= maxPack.bytes) {
      const place = this.#begins(undefined);
      this.#open = this.#pack = { ...place, schema, table, count: 0, lines: "" };
    } else {
      this.#ordinal++;
      this.total++;
    }
    this.#lines.line(packLetters[op], cells, op !== "delete");
    const pack = this.#pack!;
    pack.count++;
    pack.ordinal = this.#ordinal;
    pack.total = this.total;
  }

  #version(bytes: Buffer, { at }: VersionRelation): undefined {
    const text = (i: number): string | undefined => this.#row.text(bytes, i);
    const version = versionText({
      stamp: text(at.stamp),
      node: text(at.node),
      seen: text(at.seen),
      from: text(at.from),
    });
    if (version !== undefined) this.#versions.put(text(at.table)!, text(at.key)!, version);
  }

  /** The lane moves its checkpoint before it writes: the origin is known with the first row. */
  #own(source: string | undefined): undefined {
    if (source !== undefined) this.#transaction.origin ??= source;
  }

  #outbox(bytes: Buffer, relation: OutboxRelation): Promise<void> | undefined {
    const { at } = relation;
    const row = this.#row;
    const fingerprint = unmarkedFingerprint(row.text(bytes, at.fingerprint) ?? "");
    const change = {
      op: row.text(bytes, at.op) ?? "",
      key: row.text(bytes, at.key) ?? "[]",
      image: row.text(bytes, at.image),
      before: row.text(bytes, at.before),
      version: row.text(bytes, at.version),
    };
    const traceparent = row.text(bytes, at.traceparent);
    const origin = row.text(bytes, at.origin);
    if (traceparent !== undefined) this.#transaction.traceparent = traceparent;
    if (origin !== undefined) this.#transaction.origin = origin;
    const audience = row.text(bytes, at.audience);
    const schema = this.known.outboxSchema(fingerprint);
    const emit = (known: OutboxSchema): undefined => {
      for (const event of outboxEvents(change, known)) this.#emit(event, audience);
    };
    return schema === undefined ? this.known.learn(fingerprint).then(emit) : emit(schema);
  }

  /** Events share their transaction's header: those that are not for all targets, or again for all, get one of their own. */
  #addressTo(audience: string | undefined): void {
    if (this.#transaction.audience?.join(" ") === audience) return;
    const { audience: _, ...header } = this.#transaction;
    this.#transaction = audience === undefined ? header : { ...header, audience: audience.split(" ") };
  }

  #truncate(bytes: Buffer, at: number): undefined {
    const count = bytes.readInt32BE(at);
    for (let i = 0; i < count; i++) {
      const relation = this.#relations.get(bytes.readUInt32BE(at + 5 + i * 4));
      if (relation?.kind !== "captured") continue;
      this.#emit({ op: "truncate", schema: relation.schema, table: relation.table, key: "[]" });
    }
  }

  #emit({ op, schema, key, table, image, before, version }: Change, audience?: string): undefined {
    // What comes behind the mark is another log's to give (PROTOCOL.md 27).
    if (this.end !== undefined) return;
    const event: Writable<LoggedEvent> = { ...this.#begins(audience), op, schema, key, table };
    if (image !== undefined) event.image = image;
    if (before !== undefined) event.before = before;
    if (version !== undefined) event.version = version;
    this.#open = event;
    if (op === "barrier" && key === endKey) this.end = positionOf(event.tick, event.ordinal);
  }

  /** Goes on to the next place in the log: that of changes of which it isn't known yet whether they end their transaction. */
  #begins(audience: string | undefined) {
    this.#close();
    this.#addressTo(audience);
    if (++this.#ordinal === 1) {
      this.newest = this.#tick;
      this.listener.began(this.#tick, this.total, this.#transaction.at);
    }
    return {
      ordinal: this.#ordinal,
      tick: this.#tick,
      transaction: this.#transaction,
      endsTransaction: false,
      endsTick: false,
      total: ++this.total,
    };
  }

  /** Gives away what waited for what follows it. */
  #close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    if (open === this.#pack) {
      this.#pack.lines = this.#lines.take();
      this.#pack = undefined;
    }
    this.listener.changes(open);
  }
}

function blind(table: CapturedRelation["table"]): LockstepError {
  const id = tableId(table);
  return new LockstepError(
    "CAPTURE_LOG_LOST",
    `which rows of ${id} were changed isn't in the log: its replica identity is another index than its primary key`,
    { details: { table: id } },
  );
}

/** A key column that wasn't sent, or not as an old one, has not changed. */
function isUnchanged(bytes: Buffer, old: Tuple, row: Tuple, i: number): boolean {
  return row.kinds[i] === 0x75 || isSameCell(bytes, old, row, i);
}

function timeOf(bytes: Buffer, at: number): number {
  return Math.floor((bytes.readInt32BE(at) * 4_294_967_296 + bytes.readUInt32BE(at + 4)) / 1000) + epochMs;
}
