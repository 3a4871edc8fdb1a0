import {
  type ConflictDesk,
  type ConflictDetail,
  type ConflictEntry,
  type ConflictFilter,
  type ConflictOutcome,
  LockstepError,
  parsePosition,
} from "@lockstep/core";
import { isId, Parameters } from "../letters/filter.js";
import { own } from "../own-tables/ddl.js";
import type { Query } from "../tables/catalog.js";

const columns =
  "c.id, c.source, c.partition, c.table_name, c.row_key, c.position, (extract(epoch from c.at) * 1000)::bigint, c.policy, c.outcome";

/** Conflicts of the whole target. */
export function conflictDesk(query: Query): ConflictDesk {
  return {
    async list(filter, { limit, cursor }) {
      const parameters = new Parameters();
      const condition = conditionOf(filter, cursor, parameters);
      // One more than the page: whether there is a next one.
      const { rows } = await query(
        `select ${columns} from ${own.conflict} c where ${condition} order by c.id desc limit ${parameters.add(String(limit + 1))}`,
        parameters.values,
      );
      const conflicts = rows.slice(0, limit).map(readEntry);
      const last = conflicts.at(-1);
      return rows.length > limit && last !== undefined ? { conflicts, next: last.id } : { conflicts };
    },
    async get(id) {
      if (!isId(id)) return undefined;
      const { rows } = await query(
        `select ${columns}, c.source_image, c.target_image, c.result_image from ${own.conflict} c where c.id = $1::bigint`,
        [id],
      );
      return rows[0] === undefined ? undefined : readDetail(rows[0]);
    },
  };
}

function conditionOf(
  { source, table, outcome, since }: ConflictFilter,
  cursor: string | undefined,
  parameters: Parameters,
): string {
  const conditions: string[] = ["true"];
  const add = (value: string): string => parameters.add(value);
  if (cursor !== undefined) {
    if (!isId(cursor)) throw new LockstepError("REQUEST_INVALID", "the cursor is not one that a page gave");
    conditions.push(`c.id < ${add(cursor)}::bigint`);
  }
  if (source !== undefined) conditions.push(`c.source = ${add(source)}`);
  if (table?.includes(".")) conditions.push(`c.table_name = ${add(table)}`);
  else if (table !== undefined) {
    const name = `${add(table)}::text`;
    conditions.push(`right(c.table_name, length(${name}) + 1) = '.' || ${name}`);
  }
  if (outcome !== undefined) conditions.push(`c.outcome = ${add(outcome)}`);
  if (since !== undefined)
    conditions.push(`c.at >= to_timestamp(${add(String(since))}::double precision / 1000)`);
  return conditions.join(" and ");
}

type Row = readonly (string | null)[];

function readEntry([id, source, partition, table, key, position, at, policy, outcome]: Row): ConflictEntry {
  return {
    id: id!,
    source: source!,
    partition: Number(partition),
    table: table!,
    key: key!,
    position: parsePosition(position!),
    at: Number(at),
    policy: policy!,
    outcome: outcome as ConflictOutcome,
  };
}

function readDetail(row: Row): ConflictDetail {
  const [source, target, result] = row.slice(9);
  const images = {
    ...(source != null && { source }),
    ...(target != null && { target }),
    ...(result != null && { result }),
  };
  return { ...readEntry(row), images };
}
