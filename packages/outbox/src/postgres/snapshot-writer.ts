import {
  LockstepError,
  type OutboxWriter,
  type RowNote,
  type RunStatement,
  type SnapshotChunk,
  type SnapshotWriter,
  tableId,
  type TransactionNote,
} from "@lockstep/core";
import { audienceText } from "../event-row.js";
import { nameOf } from "./flush-call.js";
import { outboxNames, type PostgresOutboxOptions } from "./outbox-names.js";
import { postgresOutboxWriter } from "./outbox-writer.js";

type Key = readonly string[];

/** Existing rows of a PostgreSQL source as events of its outbox. */
export function postgresSnapshotWriter(options: PostgresOutboxOptions = {}): SnapshotWriter {
  const s = outboxNames(options).s;
  const outbox = postgresOutboxWriter(options);
  return {
    survey: (run, table, where) => survey(run, s, table, where),
    append: (run, chunk, transaction) => append(run, s, chunk, transaction),
    absent: (run, table, keys) => absent(run, s, table, keys),
    appendAbsent: (run, table, keys, transaction) => appendAbsent(run, outbox, table, keys, transaction),
  };
}

async function survey(run: RunStatement, s: string, table: RowNote["table"], where?: string) {
  const name = nameOf(table);
  if (where !== undefined) await checkCondition(run, table, where);
  const [row] = await run(
    `select c.reltuples::bigint::text as rows, pg_table_size(c.oid)::text as bytes, ${s}.snapshot_end($1) as last,
  (select coalesce(json_agg(distinct k.parent), '[]')::text from (
     select n.nspname || '.' || p.relname as parent from pg_constraint f join pg_class p on p.oid = f.confrelid
       join pg_namespace n on n.oid = p.relnamespace where f.contype = 'f' and f.conrelid = c.oid and f.confrelid <> c.oid) k) as parents
  from pg_class c where c.oid = to_regclass($1)`,
    [name],
  );
  const rows = Number(row?.["rows"] ?? -1);
  const bytes = Number(row?.["bytes"] ?? 0);
  const last = row?.["last"];
  return {
    table,
    parents: JSON.parse(String(row?.["parents"] ?? "[]")) as string[],
    ...(rows >= 0 && { estimatedRows: rows }),
    ...(rows > 0 && bytes > 0 && { estimatedRowBytes: Math.ceil(bytes / rows) }),
    ...(typeof last === "string" && { through: JSON.parse(last) as Key }),
  };
}

/** The database itself says whether the condition is one; nothing is read. */
async function checkCondition(run: RunStatement, table: RowNote["table"], where: string): Promise<void> {
  try {
    // With a parameter: only one statement is taken, so that a condition can't end it and begin another.
    await run(`explain select from ${nameOf(table)} t where $1::text is null and (${where}\n)`, [null]);
  } catch (cause) {
    throw new LockstepError("SYNC_CONDITION_INVALID", `${tableId(table)} can't be asked for this condition`, {
      cause,
    });
  }
}

async function append(run: RunStatement, s: string, chunk: SnapshotChunk, transaction: TransactionNote) {
  // A row alone may be so large that reading it takes long; with one lock held nobody can be in a circle with this session.
  if (chunk.rows === 1) await run("set local statement_timeout = '60s'");
  const { after, through, where } = chunk;
  const [row] = await run(
    `select written, bytes, last from ${s}.append_snapshot($1, $2::jsonb, $3::jsonb, $4::int, $5, $6, $7, $8)`,
    [
      nameOf(chunk.table),
      after === undefined ? null : JSON.stringify(after),
      JSON.stringify(through),
      chunk.rows,
      where ?? null,
      transaction.traceparent ?? null,
      transaction.origin ?? null,
      audienceText(transaction.audience),
    ],
  );
  const last = row?.["last"];
  return {
    rows: Number(row?.["written"]),
    bytes: Number(row?.["bytes"]),
    ...(typeof last === "string" && { last: JSON.parse(last) as Key }),
  };
}

async function absent(
  run: RunStatement,
  s: string,
  table: RowNote["table"],
  keys: readonly Key[],
): Promise<Key[]> {
  if (keys.length === 0) return [];
  // Nothing is locked, so nobody waits for it.
  await run("set local statement_timeout = '60s'");
  const rows = await run(`select n from ${s}.absent_keys($1, $2::jsonb) n`, [
    nameOf(table),
    JSON.stringify(keys),
  ]);
  return rows.map((row) => keys[Number(row["n"]) - 1]!);
}

async function appendAbsent(
  run: RunStatement,
  outbox: OutboxWriter,
  table: RowNote["table"],
  keys: readonly Key[],
  transaction: TransactionNote,
): Promise<number> {
  if (keys.length === 0) return 0;
  // Nobody has an uncommitted row in the table while this is held: what isn't there now is not (PROTOCOL.md 21).
  await run(`lock table ${nameOf(table)} in share mode`);
  return outbox.append(
    run,
    keys.map((key) => ({ table, op: "delete", key })),
    transaction,
  );
}
