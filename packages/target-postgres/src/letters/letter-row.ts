import { createHash } from "node:crypto";
import {
  type DeadLetter,
  type DeadLetterDetail,
  type LetterAttempt,
  type LetterState,
  type Op,
  parsePosition,
} from "@lockstep/core";

type Row = readonly (string | null)[];

const ms = (column: string): string => `(extract(epoch from l.${column}) * 1000)::bigint`;

/** Columns of a {@link DeadLetter}; the table's alias is `l`. */
export const letterColumns = [
  "l.id, l.source, l.partition, l.table_name, l.row_key, l.op, l.tick || '-' || l.n, l.ordinal, l.schema_fingerprint, l.state, l.code",
  `l.about, l.attempts, l.max_attempts, ${ms("first_failed_at")}, ${ms("last_failed_at")}, ${ms("due_at")}, l.waiting_for`,
  `${ms("resolved_at")}, l.resolved_by, l.reason`,
].join(", ");

/** Columns of a {@link DeadLetterDetail}. */
export const detailColumns = `${letterColumns}, l.image, l.before_key, l.raw_error, l.history, l.version`;

/** Bytes of what makes a {@link DeadLetterDetail} large. */
export const detailBytes = ["row_key", "image", "before_key", "raw_error", "history::text"]
  .map((column) => `coalesce(octet_length(l.${column}), 0)`)
  .join(" + ");

const letterWidth = 21;

/** A row of {@link letterColumns}. */
export function readLetter(row: Row): DeadLetter {
  const [id, source, partition, table, key, op, position, ordinal, schema, state, code] = row;
  const [about, attempts, maxAttempts, firstFailedAt, lastFailedAt, dueAt, waitingFor] = row.slice(11);
  const [resolvedAt, resolvedBy, reason] = row.slice(18);
  return {
    id: id!,
    source: source!,
    partition: Number(partition),
    table: table!,
    key: key!,
    op: op as Op,
    position: parsePosition(position!),
    ordinal: Number(ordinal),
    schema: schema!,
    state: state as LetterState,
    code: code!,
    ...given("about", about),
    attempts: Number(attempts),
    maxAttempts: Number(maxAttempts),
    firstFailedAt: Number(firstFailedAt),
    lastFailedAt: Number(lastFailedAt),
    ...(dueAt == null ? {} : { dueAt: Number(dueAt) }),
    ...given("waitingFor", waitingFor),
    ...(resolvedAt == null ? {} : { resolvedAt: Number(resolvedAt) }),
    ...given("resolvedBy", resolvedBy),
    ...given("reason", reason),
  };
}

/** A row of {@link detailColumns}. */
export function readDetail(row: Row): DeadLetterDetail {
  const [image, before, rawError, history, version] = row.slice(letterWidth);
  return {
    ...readLetter(row),
    ...given("image", image),
    ...given("before", before),
    rawError: rawError!,
    history: JSON.parse(history!) as readonly LetterAttempt[],
    ...given("version", version),
  };
}

function given<K extends string>(name: K, value: string | null | undefined): Partial<Record<K, string>> {
  return value == null ? {} : ({ [name]: value } as Record<K, string>);
}

/** Stands for (table, key) in the index of live letters, whose entries can't be as long as a key. */
export function rowHash(table: string, key: string): string {
  return createHash("sha256").update(`${table}\u0000${key}`).digest("base64url").slice(0, 32);
}

/** Every state, counted. */
export function stateCounts(rows: readonly Row[]): Readonly<Record<LetterState, number>> {
  const counts = { applied: 0, superseded: 0, discarded: 0, retrying: 0, due: 0, waiting: 0, dead: 0 };
  for (const [state, count] of rows) counts[state as LetterState] = Number(count);
  return counts;
}
