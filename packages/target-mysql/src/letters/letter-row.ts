import { createHash } from "node:crypto";
import type { DeadLetter, DeadLetterDetail, LetterAttempt, Op, LetterState } from "@lockstep/core";
import { positionOf } from "@lockstep/core";
import type { Row } from "../session/session.js";

/** Columns of a letter without its image, error text and history. */
export const letterColumns =
  "id, source, part, table_id, row_key, op, tick, n, ordinal, fingerprint, state, code, about, attempts, max_attempts, first_failed_at, last_failed_at, due_at, waiting_for, resolved_at, resolved_by, reason";

/** All columns of a letter. */
export const detailColumns = `${letterColumns}, image, before_key, raw_error, history, version`;

/** Bytes of what makes a letter large. */
export const detailBytes = ["row_key", "image", "before_key", "raw_error", "history"]
  .map((column) => `COALESCE(LENGTH(${column}), 0)`)
  .join(" + ");

/** What a row's live letter is found by: keys may be longer than an index allows. */
export function rowHash(source: string, table: string, key: string): string {
  return createHash("sha256")
    .update(JSON.stringify([source, table, key]))
    .digest("hex");
}

/** A letter from {@link letterColumns}. */
export function letterOf(row: Row): DeadLetter {
  return {
    id: row["id"]!,
    source: row["source"]!,
    partition: Number(row["part"]),
    table: row["table_id"]!,
    key: row["row_key"]!,
    op: row["op"] as Op,
    position: positionOf(BigInt(row["tick"]!), BigInt(row["n"]!)),
    ordinal: Number(row["ordinal"]),
    schema: row["fingerprint"]!,
    state: row["state"] as LetterState,
    code: row["code"]!,
    ...text("about", row["about"]),
    attempts: Number(row["attempts"]),
    maxAttempts: Number(row["max_attempts"]),
    firstFailedAt: Number(row["first_failed_at"]),
    lastFailedAt: Number(row["last_failed_at"]),
    ...time("dueAt", row["due_at"]),
    ...text("waitingFor", row["waiting_for"]),
    ...time("resolvedAt", row["resolved_at"]),
    ...text("resolvedBy", row["resolved_by"]),
    ...text("reason", row["reason"]),
  };
}

/** A letter from {@link detailColumns}. */
export function detailOf(row: Row): DeadLetterDetail {
  return {
    ...letterOf(row),
    ...text("image", row["image"]),
    ...text("before", row["before_key"]),
    rawError: row["raw_error"]!,
    history: historyOf(row["history"]),
    ...text("version", row["version"]),
  };
}

/** The attempts kept in a letter, newest last. */
export function historyOf(text: string | null | undefined): readonly LetterAttempt[] {
  return text ? (JSON.parse(text) as LetterAttempt[]) : [];
}

type Optional<K extends string, V> = { readonly [name in K]?: V };

function text<K extends string>(name: K, value: string | null | undefined): Optional<K, string> {
  return (value === null || value === undefined ? {} : { [name]: value }) as Optional<K, string>;
}

function time<K extends string>(name: K, value: string | null | undefined): Optional<K, number> {
  return (value === null || value === undefined ? {} : { [name]: Number(value) }) as Optional<K, number>;
}
