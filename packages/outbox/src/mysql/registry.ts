import { positionOf, splitPosition, type Position, type RegisteredTarget } from "@lockstep/core";
import { isClosed, type LogKind, newcomerRefused } from "../log-term.js";
import type { MysqlSession } from "./connections.js";
import type { TableNames } from "./ddl.js";
import { keptOfCells, keptQuery } from "./kept-query.js";
import { quoteText } from "./quote.js";

const columns = "id, `partition`, name, address, tick, n, state, CAST(seen_at AS CHAR)";

/** Registers or renames a target; a new one starts at the end of the last tick that is cut. */
export async function registerTarget(
  session: MysqlSession,
  names: TableNames,
  target: Pick<RegisteredTarget, "id" | "name" | "address" | "partition">,
  log: LogKind = "outbox",
): Promise<RegisteredTarget> {
  const { partition } = target;
  const id = quoteText(target.id);
  // The lock that pruning takes: its bound must not be computed between our look at the last tick and our row (PROTOCOL.md 20).
  const [, state] = await session.batch(`START TRANSACTION; ${keptQuery(names)} FOR UPDATE`);
  // Between two logs there is no place for a new target: behind the end of the one it would miss what the other begins with, then or later.
  if (isClosed(keptOfCells(state?.[0]), log)) {
    const known = `SELECT 1 FROM ${names.target} WHERE id = ${id} AND \`partition\` = ${partition}`;
    if ((await session.rows(known)).length === 0) throw newcomerRefused();
  }
  await session.change(`INSERT INTO ${names.target} (id, \`partition\`, name, address, tick, n, seen_at)
  SELECT ${id}, ${partition}, ${quoteText(target.name)}, ${quoteText(target.address)}, k.n, k.events, UTC_TIMESTAMP(6)
    FROM (SELECT n, events FROM ${names.tick} ORDER BY n DESC LIMIT 1) k
  ON DUPLICATE KEY UPDATE name = ${quoteText(target.name)}, address = ${quoteText(target.address)}, seen_at = UTC_TIMESTAMP(6)`);
  const [row] = await session.rows(
    `SELECT ${columns} FROM ${names.target} WHERE id = ${id} AND \`partition\` = ${partition}`,
  );
  await session.change("COMMIT");
  return targetOf(row!);
}

/**
 * Moves targets forward, never backward. One that the retention limit had passed by follows again once it is beyond what is
 * pruned: it can only get there by being seeded.
 */
export async function acknowledgeTargets(
  session: MysqlSession,
  names: TableNames,
  acks: readonly { readonly id: string; readonly partition: number; readonly position: Position }[],
): Promise<void> {
  for (const { id, partition, position } of acks) {
    const { tick, n } = splitPosition(position);
    await session.change(`UPDATE ${names.target} SET seen_at = UTC_TIMESTAMP(6),
  state = IF(${tick} >= (SELECT pruned_through FROM ${names.state}), 'following', state), tick = ${tick}, n = ${n}
  WHERE id = ${quoteText(id)} AND \`partition\` = ${partition} AND (tick < ${tick} OR (tick = ${tick} AND n <= ${n}))`);
  }
}

/** The number of partitions that positions in the registry belong to. */
export async function readPartitions(session: MysqlSession, names: TableNames): Promise<number | undefined> {
  const [row] = await session.rows(`SELECT \`partitions\` FROM ${names.state}`);
  return row?.[0] == null ? undefined : Number(row[0]);
}

/** Keeps that number. */
export async function keepPartitions(
  session: MysqlSession,
  names: TableNames,
  partitions: number,
): Promise<void> {
  await session.change(`UPDATE ${names.state} SET \`partitions\` = ${partitions}`);
}

/** All targets the source knows. */
export async function listTargets(session: MysqlSession, names: TableNames): Promise<RegisteredTarget[]> {
  const rows = await session.rows(`SELECT ${columns} FROM ${names.target} ORDER BY name, id, \`partition\``);
  return rows.map(targetOf);
}

/** Forgets a target, by id or name. */
export function forgetTarget(session: MysqlSession, names: TableNames, idOrName: string): Promise<number> {
  return session.change(
    `DELETE FROM ${names.target} WHERE id = ${quoteText(idOrName)} OR name = ${quoteText(idOrName)}`,
  );
}

function targetOf(row: readonly (string | number | null)[]): RegisteredTarget {
  const [id, partition, name, address, tick, n, state, seenAt] = row.map(String);
  return {
    id: id!,
    name: name!,
    address: address!,
    partition: Number(partition),
    position: positionOf(BigInt(tick!), BigInt(n!)),
    state: state === "needs-backfill" ? "needs-backfill" : "following",
    seenAt: Date.parse(`${seenAt!.replace(" ", "T")}Z`),
  };
}
