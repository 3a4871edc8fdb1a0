import { LockstepError, tableId } from "@lockstep/core";
import { unmarkedFingerprint } from "@lockstep/outbox/postgres";
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
import { outboxEvents } from "./outbox-row.js";
import { readRelation } from "./relation-message.js";
import type { RowOp, Sequencer } from "./sequencer.js";
import { traceOf } from "./trace-message.js";
import { isSameCell, Tuple } from "./tuple.js";

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

/**
 * Turns pgoutput's messages (protocol 1) into events. A transaction comes whole and in commit order; its first message names the place of
 * its commit record, so the positions of its events are known from the first on, however large it is.
 */
export class Decoder {
  readonly #relations = new Map<number, Relation>();
  readonly #row = new Tuple();
  readonly #old = new Tuple();
  readonly #writer = new CellWriter();
  readonly #versions = new PendingVersions();
  /** Everything whose commit record begins before this was read. */
  passed = 0n;

  constructor(
    private readonly known: Relations,
    /** What the changes go to. */
    private readonly sequencer: Sequencer,
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
    const transaction = { id: String(bytes.readUInt32BE(at + 16)), at: timeOf(bytes, at + 8) };
    this.sequencer.begin(bytes.readBigUInt64BE(at), transaction);
    this.#versions.clear();
  }

  #commit(bytes: Buffer, at: number): undefined {
    // A log that has ended is never confirmed beyond its mark: whoever reads it again must meet that again.
    if (this.sequencer.end === undefined) this.passed = bytes.readBigUInt64BE(at + 9);
    this.sequencer.commit();
  }

  /** It stands behind the transaction's rows: events that went ahead of it, of a very large one, are without. */
  #message(bytes: Buffer, at: number): undefined {
    const traceparent = this.sequencer.isInTransaction ? traceOf(bytes, at) : undefined;
    if (traceparent !== undefined) this.sequencer.transaction.traceparent = traceparent;
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
    else this.sequencer.packed(kind, relation, cells);
  }

  /** A change that has a key from before, or may have a version. */
  #alone(op: RowOp, relation: CapturedRelation, cells: Cells, isMoved: boolean): void {
    const { schema, table } = relation;
    const { key: _, ...whole } = cells;
    const writer = this.#writer;
    const key = writer.text(cells);
    const image = op === "delete" ? undefined : writer.text(whole);
    const version = this.#versions.take(table.name, key);
    const { bytes, old } = cells;
    if (!isMoved) return this.sequencer.alone({ op, schema, table, key, image, version });
    const before = writer.text({ ...cells, bytes, row: old!, old: undefined });
    return this.sequencer.alone({ op, schema, table, key, image, before });
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
    if (source !== undefined) this.sequencer.transaction.origin ??= source;
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
    if (traceparent !== undefined) this.sequencer.transaction.traceparent = traceparent;
    if (origin !== undefined) this.sequencer.transaction.origin = origin;
    const audience = row.text(bytes, at.audience);
    const schema = this.known.outboxSchema(fingerprint);
    const emit = (known: OutboxSchema): undefined => {
      for (const event of outboxEvents(change, known)) this.sequencer.alone(event, audience);
    };
    return schema === undefined ? this.known.learn(fingerprint).then(emit) : emit(schema);
  }

  #truncate(bytes: Buffer, at: number): undefined {
    const count = bytes.readInt32BE(at);
    for (let i = 0; i < count; i++) {
      const relation = this.#relations.get(bytes.readUInt32BE(at + 5 + i * 4));
      if (relation?.kind !== "captured") continue;
      this.sequencer.alone({ op: "truncate", schema: relation.schema, table: relation.table, key: "[]" });
    }
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
