import { type KeptCapture, LockstepError } from "@lockstep/core";
import type { Tick } from "../tick.js";
import type { MysqlSession } from "./connections.js";
import type { TableNames } from "./ddl.js";
import { captureMoved, capturedText, isClosed } from "../log-term.js";
import { keptOfCells, keptQuery } from "./kept-query.js";
import { collectRuns, conditionsOf } from "./id-runs.js";

/** A tick and whether it holds rows whose transactions are unknown: then it is applied as a whole (PROTOCOL.md 7). */
export interface MarkedTick extends Tick {
  readonly atomic: boolean;
}

const duplicateEntry = 1062;
const lockWaitTimeout = 1205;
const deadlock = 1213;
const statementsPerBatch = 50;

/** Whether anything is visible that no tick has. */
export async function hasUnread(session: MysqlSession, names: TableNames): Promise<boolean> {
  return (await session.rows(unreadQuery(names))).length > 0;
}

const unreadQuery = ({ outbox }: TableNames): string => `SELECT 1 FROM ${outbox} WHERE tick = 0 LIMIT 1`;

function refuseMoved(kept: KeptCapture | undefined, captured: string | undefined): void {
  if (captured !== undefined && capturedText(kept) !== captured) throw captureMoved();
}

/**
 * Cuts a tick when anything new is visible. Durable when it returns (given innodb_flush_log_at_trx_commit = 1). `captured`: how the source was
 * captured when the lead was taken.
 * @throws LockstepError RELAY_FENCED when it is captured in another way by now.
 */
export async function cutTick(
  session: MysqlSession,
  names: TableNames,
  captured?: string,
): Promise<MarkedTick | undefined> {
  const [unread, kept] = await session.batch(`${unreadQuery(names)}; ${keptQuery(names)}`);
  refuseMoved(keptOfCells(kept?.[0]), captured);
  if (unread!.length === 0) return undefined;
  try {
    return await cutLocked(session, names, captured);
  } catch (cause) {
    const errno = cause instanceof Error && "errno" in cause ? cause.errno : undefined;
    if (errno !== duplicateEntry && errno !== lockWaitTimeout && errno !== deadlock) throw cause;
    throw new LockstepError("RELAY_FENCED", "another relay cut this tick", { cause });
  }
}

async function cutLocked(
  session: MysqlSession,
  names: TableNames,
  captured: string | undefined,
): Promise<MarkedTick | undefined> {
  const [, last, kept] = await session.batch(
    `START TRANSACTION; SELECT n, total FROM ${names.tick} ORDER BY n DESC LIMIT 1 FOR UPDATE; ${keptQuery(names)}`,
  );
  // Asked behind the lock, which a change of the capture takes too: from then on the rest is another log's.
  const now = keptOfCells(kept?.[0]);
  refuseMoved(now, captured);
  if (isClosed(now, "outbox")) {
    await session.change("COMMIT");
    return undefined;
  }
  const [previous, total] = last![0]!;
  // The members: what one non-locking read sees, which is whole transactions. It comes after the lock, or two relays could see
  // them in the other order. Then exactly these ids are marked: a condition would be asked anew and split transactions (PROTOCOL.md 7).
  const ids = collectRuns();
  let events = 0;
  let atomic = false;
  await session.each(
    `SELECT id, tx IS NULL FROM ${names.outbox} WHERE tick = 0 ORDER BY id`,
    ([id, anonymous]) => {
      ids.add(BigInt(id!));
      events++;
      atomic ||= Number(anonymous) === 1;
    },
  );
  if (events === 0) {
    await session.change("COMMIT");
    return undefined;
  }
  const tick = { n: BigInt(previous!) + 1n, events, total: Number(total) + events, atomic };
  const statements = [
    `INSERT INTO ${names.tick} (n, at, events, total, atomic) VALUES (${tick.n}, UTC_TIMESTAMP(6), ${events}, ${tick.total}, ${atomic})`,
    ...conditionsOf(ids.runs).map((ids) => `UPDATE ${names.outbox} SET tick = ${tick.n} WHERE ${ids}`),
    "COMMIT",
  ];
  for (let i = 0; i < statements.length; i += statementsPerBatch) {
    await session.batch(`${statements.slice(i, i + statementsPerBatch).join("; ")}; DO 0`);
  }
  return tick;
}
