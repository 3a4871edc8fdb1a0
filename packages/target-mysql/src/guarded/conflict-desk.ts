import {
  type ConflictDesk,
  type ConflictDetail,
  type ConflictEntry,
  type ConflictFilter,
  type ConflictOutcome,
  LockstepError,
  parsePosition,
} from "@lockstep/core";
import type { Condition } from "../letters/letter-filter.js";
import type { Row, Session } from "../session/session.js";
import type { Sessions } from "../session/sessions.js";

const columns = "id, source, part, table_name, row_key, position, at, policy, outcome";

/** Conflicts of the whole target. */
export function conflictDesk(sessions: Sessions): ConflictDesk {
  return {
    list: (filter, page) => sessions.use((session) => list(session, filter, page)),
    get: (id) => sessions.use((session) => get(session, id)),
  };
}

async function list(
  session: Session,
  filter: ConflictFilter,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): ReturnType<ConflictDesk["list"]> {
  const parts = conditionsOf(filter, cursor);
  const condition = parts.map(({ sql }) => sql).join(" AND ") || "TRUE";
  const rows = await session.rows(
    `SELECT ${columns} FROM lockstep_conflict WHERE ${condition} ORDER BY id DESC LIMIT ?`,
    [...parts.flatMap(({ values }) => [...values]), limit + 1],
  );
  const conflicts = rows.slice(0, limit).map(entryOf);
  const last = conflicts.at(-1);
  return rows.length > limit && last !== undefined ? { conflicts, next: last.id } : { conflicts };
}

async function get(session: Session, id: string): Promise<ConflictDetail | undefined> {
  if (!isId(id)) return undefined;
  const [row] = await session.rows(
    `SELECT ${columns}, source_image, target_image, result_image FROM lockstep_conflict WHERE id = ?`,
    [id],
  );
  if (row === undefined) return undefined;
  const { source_image: source, target_image: target, result_image: result } = row;
  const images = {
    ...(source != null && { source }),
    ...(target != null && { target }),
    ...(result != null && { result }),
  };
  return { ...entryOf(row), images };
}

function conditionsOf(
  { source, table, outcome, since }: ConflictFilter,
  cursor: string | undefined,
): readonly Condition[] {
  if (cursor !== undefined && !isId(cursor))
    throw new LockstepError("REQUEST_INVALID", "the cursor is not one of a page before");
  const when = (sql: string, ...values: readonly (string | number | undefined)[]): Condition[] =>
    values[0] === undefined ? [] : [{ sql, values: values as readonly (string | number)[] }];
  return [
    ...when("id < ?", cursor),
    ...when("source = ?", source),
    ...(table?.includes(".")
      ? when("table_name = ?", table)
      : when("RIGHT(table_name, CHAR_LENGTH(?) + 1) = CONCAT('.', ?)", table, table)),
    ...when("outcome = ?", outcome),
    ...when("at >= ?", since),
  ];
}

function isId(text: string): boolean {
  return /^\d{1,18}$/.test(text);
}

function entryOf(row: Row): ConflictEntry {
  return {
    id: row["id"]!,
    source: row["source"]!,
    partition: Number(row["part"]),
    table: row["table_name"]!,
    key: row["row_key"]!,
    position: parsePosition(row["position"]!),
    at: Number(row["at"]),
    policy: row["policy"]!,
    outcome: row["outcome"] as ConflictOutcome,
  };
}
