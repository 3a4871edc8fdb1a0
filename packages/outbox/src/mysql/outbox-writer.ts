import { randomUUID } from "node:crypto";
import {
  LockstepError,
  tableId,
  type OutboxWriter,
  type RowNote,
  type RunStatement,
  type TableSchema,
  type TransactionNote,
} from "@lockstep/core";
import { audienceText } from "../event-row.js";
import { foldNotes, type NotedTable, partsOf, rowsPerPart } from "../fold-notes.js";
import { keptCapture } from "../kept-capture.js";
import { mysqlHandOver } from "./hand-over.js";
import { patiently } from "./bounded.js";
import { keptQuery } from "./kept-query.js";
import { createStatements, dropStatements, formatVersion, tableNames, type TableNames } from "./ddl.js";
import { captureRows, type CapturedRow } from "./images.js";
import { type MysqlOutboxOptions, outboxMark, outboxPlace, type OutboxPlace } from "./outbox-place.js";
import { refuseOtherOutbox } from "../outbox-table.js";
import { quoteNullable, quoteText } from "./quote.js";
import { causedBy, shapeReader, type ShapeReader } from "./table-shape.js";

/** The outbox in a MySQL (8.0.17 or newer) or MariaDB (10.6 or newer) database, as the application's transactions write it. */
export function mysqlOutboxWriter(options: MysqlOutboxOptions = {}): OutboxWriter {
  const place = outboxPlace(options);
  const names = tableNames(options);
  const create = createStatements(names, outboxMark(place));
  const shapes = shapeReader();
  return {
    async ensure(run) {
      if ((await formatOf(run, names, place)) >= formatVersion) return;
      await alone(run, place.prefix, async () => {
        if ((await formatOf(run, names, place)) >= formatVersion) return;
        await patiently(run, upgrading, () => runAll(run, create));
      });
    },
    remove: (run) => patiently(run, removing, () => runAll(run, dropStatements(names))),
    async check(run) {
      if ((await formatOf(run, names, place)) >= formatVersion) return;
      throw new LockstepError(
        "OUTBOX_MISSING",
        `the outbox is missing or older than version ${formatVersion}`,
      );
    },
    async readCapture(run) {
      const [row] = await run(keptQuery(names));
      return keptCapture(row);
    },
    async keepCapture(run, { kind, from, stage, end }) {
      const values = [kind, from, stage, end].map((value) => (value === undefined ? "NULL" : `'${value}'`));
      await run(
        `UPDATE ${names.state} SET capture = ${values[0]}, capture_from = ${values[1]}, capture_stage = ${values[2]}, capture_end = ${values[3]}`,
      );
    },
    handOver: mysqlHandOver(names),
    hasTargets: async (run) => (await run(`SELECT 1 AS one FROM ${names.target} LIMIT 1`)).length > 0,
    describe: (run, tables) => describe(run, names, shapes, tables),
    async append(run, notes, transaction) {
      try {
        return notes.length === 0 ? 0 : await append(run, names, shapes, notes, transaction);
      } catch (cause) {
        throw new LockstepError("OUTBOX_WRITE_FAILED", "the changes could not be written to the outbox", {
          cause,
        });
      }
    },
  };
}

const makingSeconds = 60;

const upgrading = { lockWaitSeconds: 1, tries: 4 };
const removing = { lockWaitSeconds: 5, tries: 1 };

async function runAll(run: RunStatement, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await run(statement);
}

/** One process at a time: two of them would both find a column missing, and both add it. Without the lock, as where none can be had, one of them fails. */
async function alone(run: RunStatement, prefix: string, work: () => Promise<void>): Promise<void> {
  const lock = `CONCAT('lockstep making ', MD5(CONCAT(DATABASE(), ${quoteText(`/${prefix}`)})))`;
  await run(`SELECT GET_LOCK(${lock}, ${makingSeconds}) AS got`);
  try {
    await work();
  } finally {
    await run(`SELECT RELEASE_LOCK(${lock}) AS released`);
  }
}

const noSuchTable = 1146;

/** Version of what is there; 0 when nothing is. @throws LockstepError OUTBOX_NAME. */
async function formatOf(run: RunStatement, names: TableNames, place: OutboxPlace): Promise<number> {
  const format = await stateFormat(run, names);
  const [table] = await run(`SELECT TABLE_COMMENT AS mark FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${quoteText(place.table)}`);
  // Of a version before the mark there is none under another name.
  const isOurs =
    table?.["mark"] === outboxMark(place) || place.table === outboxPlace({ prefix: place.prefix }).table;
  refuseOtherOutbox(place.table, {
    isMade: format > 0,
    table: table === undefined ? "none" : isOurs ? "ours" : "foreign",
  });
  return format;
}

async function stateFormat(run: RunStatement, names: TableNames): Promise<number> {
  try {
    const [row] = await run(`SELECT format AS format FROM ${names.state}`);
    return Number(row?.["format"] ?? 0);
  } catch (error) {
    if (causedBy(error, noSuchTable)) return 0;
    throw error;
  }
}

async function describe(
  run: RunStatement,
  names: TableNames,
  shapes: ShapeReader,
  tables: readonly RowNote["table"][],
): Promise<readonly TableSchema[]> {
  const schemas: TableSchema[] = [];
  for (const table of tables) {
    const shape = await shapes(run, table);
    if (!shape) throw new LockstepError("ENTITY_UNKNOWN", `the table ${tableId(table)} does not exist`);
    schemas.push(shape.schema);
  }
  const keyless = schemas.filter((schema) => schema.key.length === 0).map(tableId);
  if (keyless.length > 0) {
    throw new LockstepError("TABLE_WITHOUT_PRIMARY_KEY", `no primary key: ${keyless.join(", ")}`, {
      details: { tables: keyless },
    });
  }
  await registerSchemas(run, names, schemas);
  return schemas;
}

/** Keeps the schemas that the outbox doesn't know yet. Asked of the database each time: a transaction that rolls back forgets them. */
export async function registerSchemas(
  run: RunStatement,
  names: TableNames,
  schemas: readonly TableSchema[],
): Promise<void> {
  if (schemas.length === 0) return;
  const prints = schemas.map((schema) => quoteText(schema.fingerprint)).join(", ");
  const known = await run(
    `SELECT fingerprint AS fingerprint FROM ${names.tableSchema} WHERE fingerprint IN (${prints})`,
  );
  const missing = schemas.filter(
    (schema) => !known.some((row) => String(row["fingerprint"]) === schema.fingerprint),
  );
  if (missing.length === 0) return;
  const values = missing.map((s) => `(${quoteText(s.fingerprint)}, ${quoteText(JSON.stringify(s))})`);
  await run(`INSERT INTO ${names.tableSchema} (fingerprint, definition) VALUES ${values.join(", ")}`);
}

async function append(
  run: RunStatement,
  names: TableNames,
  shapes: ShapeReader,
  notes: readonly RowNote[],
  transaction: TransactionNote,
): Promise<number> {
  const id = randomUUID();
  let written = 0;
  // One part stays behind: which row is the transaction's last is known when no part has any more.
  let held: readonly CapturedRow[] = [];
  for (const part of partsOf(foldNotes(notes), rowsPerPart)) {
    const rows = await captureTables(run, names, shapes, part);
    if (rows.length === 0) continue;
    await insertRows(run, names, held, { ...transaction, id, isOver: false });
    held = rows;
    written += rows.length;
  }
  await insertRows(run, names, held, { ...transaction, id, isOver: true });
  return written;
}

/** What the noted rows of several tables have become, in the order of their notes; the outbox holds their schemas then. */
async function captureTables(
  run: RunStatement,
  names: TableNames,
  shapes: ShapeReader,
  tables: readonly NotedTable[],
): Promise<readonly CapturedRow[]> {
  const captured: CapturedRow[] = [];
  const unknown: TableSchema[] = [];
  for (const table of tables) {
    const shape = await shapes(run, table);
    if (!shape) throw new Error(`the table ${tableId(table)} does not exist`);
    if (shape.schema.key.length === 0) throw new Error(`the table ${tableId(table)} has no primary key`);
    const { rows, schemaKnown } = await captureRows(run, names, shape, table.rows);
    captured.push(...rows);
    if (!schemaKnown) unknown.push(shape.schema);
  }
  if (captured.length > 0) await registerSchemas(run, names, unknown);
  return captured.sort((a, b) => a.order - b.order);
}

/** Which transaction rows belong to. */
interface PartOf {
  /** Default: one of these rows alone. */
  readonly id?: string;
  /** Whether the last of these rows is the transaction's last. Default true. */
  readonly isOver?: boolean;
}

const maxStatementCharacters = 1_000_000;
const maxStatementRows = 1_000;

/**
 * Ids are drawn here, above every lock that was waited for: what depends on this transaction has a larger last id. VALUES, never
 * INSERT … SELECT: that one deadlocks on the table's AUTO-INC lock.
 */
export async function insertRows(
  run: RunStatement,
  names: TableNames,
  rows: readonly CapturedRow[],
  { traceparent, origin, audience, id = randomUUID(), isOver = true }: TransactionNote & PartOf,
): Promise<void> {
  if (rows.length === 0) return;
  const insert = `INSERT INTO ${names.outbox} (tx, ends_tx, at, op, fingerprint, row_key, image, before_key, traceparent, origin, audience) VALUES `;
  const shared = `${quoteNullable(traceparent)}, ${quoteNullable(origin)}, ${quoteNullable(audienceText(audience))})`;
  const tx = `'${id}'`;
  let values: string[] = [];
  let size = 0;
  for (const row of rows) {
    const value = `(${tx}, ${isOver && row === rows.at(-1)}, UTC_TIMESTAMP(6), '${row.op}', '${row.fingerprint}', ${quoteText(row.key)}, ${quoteNullable(row.image)}, ${quoteNullable(row.before)}, ${shared}`;
    if (
      values.length === maxStatementRows ||
      (values.length > 0 && size + value.length > maxStatementCharacters)
    ) {
      await run(insert + values.join(", "));
      values = [];
      size = 0;
    }
    values.push(value);
    size += value.length;
  }
  await run(insert + values.join(", "));
}
