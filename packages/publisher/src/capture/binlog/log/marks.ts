import { LockstepError, positionOf, type Position, splitPosition } from "@lockstep/core";
import { type MysqlSession, quoteText, type TableNames } from "@lockstep/outbox/mysql";
import type { Scanned } from "./log-context.js";
import { placeOf, splitFileName, tickAt } from "./place.js";

/** A place from which the log can be read with the right count, as kept in the source. */
export interface Mark extends Scanned {
  /** Name of the log's files without their number. */
  readonly base: string;
  /** When the server began the file, seconds since 1970; 0 when that isn't known yet. */
  readonly stamp: number;
}

const columns = "n, total, last_tick, last_n, base, stamp";

/**
 * The furthest mark behind which everything after `position` lies: nothing happened between its last event and itself, so a target
 * that has applied that event may go on from the mark, however old the event is.
 */
export async function markFor(
  session: MysqlSession,
  { logMark }: TableNames,
  position: Position,
): Promise<Mark | undefined> {
  const { tick, n } = splitPosition(position);
  const [row] = await session.rows(`SELECT ${columns} FROM ${logMark}
  WHERE last_tick < ${tick} OR (last_tick = ${tick} AND last_n <= ${n}) ORDER BY n DESC LIMIT 1`);
  return row && markOf(row);
}

/** The newest mark. */
export async function newestMark(session: MysqlSession, { logMark }: TableNames): Promise<Mark | undefined> {
  const [row] = await session.rows(`SELECT ${columns} FROM ${logMark} ORDER BY n DESC LIMIT 1`);
  return row && markOf(row);
}

/** The oldest mark. */
export async function oldestMark(session: MysqlSession, { logMark }: TableNames): Promise<Mark | undefined> {
  const [row] = await session.rows(`SELECT ${columns} FROM ${logMark} ORDER BY n LIMIT 1`);
  return row && markOf(row);
}

function markOf(row: readonly (string | number | null)[]): Mark {
  const [boundary, total, tick, n, base, stamp] = row.map(String);
  return {
    boundary: BigInt(boundary!),
    total: Number(total),
    last: positionOf(BigInt(tick!), BigInt(n!)),
    base: base!,
    stamp: Number(stamp),
  };
}

/** Keeps a mark. Two relays may: it is a fact about the log, whoever found it. */
export async function keepMark(session: MysqlSession, { logMark }: TableNames, mark: Mark): Promise<void> {
  const { tick, n } = splitPosition(mark.last);
  await session.change(`INSERT IGNORE INTO ${logMark} (n, at, total, last_tick, last_n, base, stamp)
  VALUES (${mark.boundary}, UTC_TIMESTAMP(6), ${mark.total}, ${tick}, ${n}, ${quoteText(mark.base)}, ${mark.stamp})`);
}

/** A mark made at the log's end didn't know yet when its file was begun. */
export async function stampMark(
  session: MysqlSession,
  { logMark }: TableNames,
  { base, stamp, boundary }: Mark,
): Promise<void> {
  const { file } = placeOf(boundary);
  const [from, to] = [file, file + 1].map((number) => tickAt({ file: number, offset: 0 }));
  await session.change(
    `UPDATE ${logMark} SET stamp = ${stamp} WHERE stamp = 0 AND base = ${quoteText(base)} AND n >= ${from} AND n < ${to}`,
  );
}

/** The end of the server's log, and the name of its files. @throws LockstepError CAPTURE_SOURCE_SETTINGS. */
export async function endOfLog(
  session: Pick<MysqlSession, "rows">,
): Promise<{ readonly boundary: bigint; readonly base: string }> {
  const rows = await session.rows("SHOW MASTER STATUS").catch((error: unknown) => {
    if (isDenied(error)) throw new LockstepError("CAPTURE_SOURCE_SETTINGS", noRight, { cause: error });
    // MySQL 8.4 knows it under this name only.
    return session.rows("SHOW BINARY LOG STATUS");
  });
  const [name, offset] = rows[0] ?? [];
  if (name == null)
    throw new LockstepError("CAPTURE_SOURCE_SETTINGS", "the server writes no binlog: set log_bin");
  const { base, file } = splitFileName(String(name));
  return { base, boundary: tickAt({ file, offset: Number(offset) }) };
}

/** Where the oldest file begins that the server still has. */
export async function beginningOfLog(session: MysqlSession): Promise<bigint> {
  const [row] = await session.rows("SHOW BINARY LOGS");
  return tickAt({ file: splitFileName(String(row![0])).file, offset: 0 });
}

const noRight = "no right to ask for the log's end: GRANT BINLOG MONITOR (MySQL: REPLICATION CLIENT)";
const accessDenied = 1227;

function isDenied(error: unknown): boolean {
  return error instanceof Error && "errno" in error && error.errno === accessDenied;
}
