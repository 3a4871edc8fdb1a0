import {
  type AppendedChunk,
  LockstepError,
  type OutboxWriter,
  type RowNote,
  type RunStatement,
  type SnapshotChunk,
  type SnapshotTable,
  type SnapshotWriter,
  tableId,
  type TransactionNote,
} from "@lockstep/core";
import { tableNames, type TableNames } from "./ddl.js";
import { keyCells, keyNames, keyOf, rangeOf } from "./key-range.js";
import { tableFacts } from "./table-facts.js";
import { type CapturedRow, imageOfCells, keysPerStatement, readRows, whereKeys } from "./images.js";
import type { MysqlOutboxOptions } from "./outbox-place.js";
import { insertRows, mysqlOutboxWriter, registerSchemas } from "./outbox-writer.js";
import { quoteTable } from "./quote.js";
import { shapeReader, type ShapeReader, type TableShape } from "./table-shape.js";

type Table = RowNote["table"];
type Key = readonly string[];

/** What the writer works with. */
interface Room {
  readonly names: TableNames;
  readonly shapes: ShapeReader;
  readonly outbox: OutboxWriter;
}

/** Existing rows of a MySQL or MariaDB source as events of its outbox. */
export function mysqlSnapshotWriter(options: MysqlOutboxOptions = {}): SnapshotWriter {
  const room: Room = {
    names: tableNames(options),
    shapes: shapeReader(),
    outbox: mysqlOutboxWriter(options),
  };
  return {
    survey: (run, table, where) => survey(room, run, table, where),
    append: (run, chunk, transaction) => append(room, run, chunk, transaction),
    absent: (run, table, keys) => absent(room, run, table, keys),
    appendAbsent: (run, table, keys, transaction) => appendAbsent(room, run, table, keys, transaction),
  };
}

async function shapeOf({ shapes }: Room, run: RunStatement, table: Table): Promise<TableShape> {
  const shape = await shapes(run, table);
  if (!shape) throw new LockstepError("ENTITY_UNKNOWN", `the table ${tableId(table)} does not exist`);
  return shape;
}

async function survey(room: Room, run: RunStatement, table: Table, where?: string): Promise<SnapshotTable> {
  const shape = await shapeOf(room, run, table);
  if (where !== undefined) await checkCondition(run, table, where);
  const [last] = await run(`SELECT ${keyCells(shape)} FROM ${quoteTable(table)} t FORCE INDEX (PRIMARY)
  ORDER BY ${keyNames(shape)
    .map((name) => `${name} DESC`)
    .join(", ")} LIMIT 1`);
  return {
    table,
    ...(await tableFacts(run, table)),
    ...(last && { through: keyOf(shape, last) }),
  };
}

/** The database itself says whether the condition is one; nothing is read. */
async function checkCondition(run: RunStatement, table: Table, where: string): Promise<void> {
  try {
    await run(`EXPLAIN SELECT 1 FROM ${quoteTable(table)} t WHERE FALSE AND (${where}\n)`);
  } catch (cause) {
    throw new LockstepError("SYNC_CONDITION_INVALID", `${tableId(table)} can't be asked for this condition`, {
      cause,
    });
  }
}

async function append(
  room: Room,
  run: RunStatement,
  chunk: SnapshotChunk,
  transaction: TransactionNote,
): Promise<AppendedChunk> {
  const shape = await shapeOf(room, run, chunk.table);
  const { keys, goesOn } = await keysOfChunk(run, shape, chunk);
  const rows = await waiting(run, keys.length, () => lockedRows(room, run, shape, keys, chunk.where));
  if (rows.length > 0) {
    await registerSchemas(run, room.names, [shape.schema]);
    await insertRows(run, room.names, rows, transaction);
  }
  const bytes = rows.reduce((sum, { key, image }) => sum + key.length + (image?.length ?? 0), 0);
  return { rows: rows.length, bytes, ...(goesOn && { last: keys.at(-1)! }) };
}

/** The keys of a chunk, as they are committed now; without a lock. */
async function keysOfChunk(
  run: RunStatement,
  shape: TableShape,
  { table, after, through, rows }: SnapshotChunk,
): Promise<{ readonly keys: readonly Key[]; readonly goesOn: boolean }> {
  const found = await run(`SELECT ${keyCells(shape)} FROM ${quoteTable(table)} t FORCE INDEX (PRIMARY)
  WHERE ${rangeOf(shape, after, through)} ORDER BY ${keyNames(shape).join(", ")} LIMIT ${rows + 1}`);
  return { keys: found.slice(0, rows).map((row) => keyOf(shape, row)), goesOn: found.length > rows };
}

/** By their keys, not as a range: that would also wait for rows in between, and behind its end, which somebody has inserted and not yet committed. */
async function lockedRows(
  { names }: Room,
  run: RunStatement,
  shape: TableShape,
  keys: readonly Key[],
  where: string | undefined,
): Promise<CapturedRow[]> {
  const condition = where === undefined ? "" : ` AND (${where}\n)`;
  const { fingerprint } = shape.schema;
  const rows: CapturedRow[] = [];
  for (let i = 0; i < keys.length; i += keysPerStatement) {
    const page = keys.slice(i, i + keysPerStatement).map((key) => ({ key }));
    const { images } = await readRows(run, names, shape, page, condition);
    for (const [key, image] of images) {
      rows.push({ order: rows.length, op: "s", fingerprint, key, image, before: null });
    }
  }
  return rows;
}

/**
 * The job's session waits for no lock, so that it is in nobody's deadlock; for a row that is hardly ever free it does, and holds no other then.
 */
async function waiting<T>(run: RunStatement, rows: number, read: () => Promise<T>): Promise<T> {
  if (rows > 1) return read();
  await run("SET SESSION innodb_lock_wait_timeout = 1");
  try {
    return await read();
  } finally {
    await run("SET SESSION innodb_lock_wait_timeout = 0").catch(() => undefined);
  }
}

async function absent(room: Room, run: RunStatement, table: Table, keys: readonly Key[]): Promise<Key[]> {
  const shape = await shapeOf(room, run, table);
  const gone: Key[] = [];
  for (let i = 0; i < keys.length; i += keysPerStatement) {
    const page = keys.slice(i, i + keysPerStatement);
    const found = await run(
      `SELECT ${keyCells(shape)} FROM ${quoteTable(table)} t FORCE INDEX (PRIMARY) WHERE ${whereKeys(
        shape,
        page.map((key) => ({ key })),
      )}`,
    );
    const here = new Set(found.map((row) => imageOfCells(shape, row)[0]));
    gone.push(...page.filter((key) => !here.has(JSON.stringify(key))));
  }
  return gone;
}

/** The flush's own locking read, under REPEATABLE READ: it locks the gap where a key isn't, and waits for who has inserted it (PROTOCOL.md 21). */
function appendAbsent(
  { outbox }: Room,
  run: RunStatement,
  table: Table,
  keys: readonly Key[],
  transaction: TransactionNote,
): Promise<number> {
  return outbox.append(
    run,
    keys.map((key) => ({ table, op: "delete", key })),
    transaction,
  );
}
