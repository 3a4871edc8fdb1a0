import { positionOf, splitPosition, type Position, type RegisteredTarget } from "@lockstep/core";
import type pg from "pg";
import { keptCapture } from "../kept-capture.js";
import { isClosed, type LogKind, newcomerRefused } from "../log-term.js";
import { keptQuery } from "./kept-query.js";

type Row = Record<string, string>;

const columns = `t.id, t.partition, t.name, t.address, t.tick, t.n, t.state, (extract(epoch from t.seen_at) * 1000)::bigint as seen_at`;

/** Registers or renames a target; a new one starts at the end of the last tick that is cut. */
export function registerTarget(
  client: pg.ClientBase,
  s: string,
  target: Pick<RegisteredTarget, "id" | "name" | "address" | "partition">,
): Promise<RegisteredTarget> {
  return placeTarget(client, s, target, {
    log: "outbox",
    start: `select k.n, k.events from ${s}.tick k order by k.n desc limit 1`,
  });
}

/** The same in any log: a new one starts at what the query `start` gives (tick, n), asked under the lock that pruning takes. */
export async function placeTarget(
  client: pg.ClientBase,
  s: string,
  target: Pick<RegisteredTarget, "id" | "name" | "address" | "partition">,
  { log, start }: { readonly log: LogKind; readonly start: string },
): Promise<RegisteredTarget> {
  await client.query("begin isolation level read committed");
  // The lock that pruning takes: its bound must not be computed between our look at the last tick and our row (PROTOCOL.md 20).
  const { rows: state } = await client.query<Row>(`${keptQuery(s)} for update`);
  if (isClosed(keptCapture(state[0]), log)) await refuseNewcomer(client, s, target);
  const { rows } = await client.query<Row>(
    `insert into ${s}.target as t (id, partition, name, address, tick, n)
  select $1, $2, $3, $4, k.* from (${start}) k
  on conflict (id, partition) do update set name = excluded.name, address = excluded.address, seen_at = clock_timestamp()
  returning ${columns}`,
    [target.id, target.partition, target.name, target.address],
  );
  await client.query("commit");
  return targetOf(rows[0]!);
}

/** Between two logs there is no place for a new target: behind the end of the one it would miss what the other begins with, then or later. */
async function refuseNewcomer(
  client: pg.ClientBase,
  s: string,
  { id, partition }: Pick<RegisteredTarget, "id" | "partition">,
): Promise<void> {
  const { rowCount } = await client.query(`select from ${s}.target where id = $1 and partition = $2`, [
    id,
    partition,
  ]);
  if (rowCount === 0) throw newcomerRefused();
}

/**
 * Moves targets forward, never backward. One that the retention limit had passed by follows again once it is beyond what is
 * pruned: it can only get there by being seeded.
 */
export async function acknowledgeTargets(
  client: pg.ClientBase,
  s: string,
  acks: readonly { readonly id: string; readonly partition: number; readonly position: Position }[],
): Promise<void> {
  const given = acks.map(({ id, partition, position }) => {
    const { tick, n } = splitPosition(position);
    return { id, partition, tick: String(tick), n: String(n) };
  });
  await client.query(
    `update ${s}.target t set tick = g.tick, n = g.n, seen_at = clock_timestamp(),
         state = case when g.tick >= (select max(pruned_through) from ${s}.state) then 'following' else t.state end
  from (select id, partition, (array_agg(tick order by tick desc, n desc))[1] as tick, (array_agg(n order by tick desc, n desc))[1] as n
          from jsonb_to_recordset($1) as a(id uuid, partition int, tick bigint, n numeric) group by id, partition) g
 where t.id = g.id and t.partition = g.partition and (g.tick, g.n) >= (t.tick, t.n)`,
    [JSON.stringify(given)],
  );
}

/** The number of partitions that positions in the registry belong to. */
export async function readPartitions(client: pg.ClientBase, s: string): Promise<number | undefined> {
  const { rows } = await client.query<{ partitions: string | null }>(`select partitions from ${s}.state`);
  const kept = rows[0]?.partitions ?? undefined;
  return kept === undefined ? undefined : Number(kept);
}

/** Keeps that number. */
export async function keepPartitions(client: pg.ClientBase, s: string, partitions: number): Promise<void> {
  await client.query(`update ${s}.state set partitions = $1`, [partitions]);
}

/** All targets the source knows. */
export async function listTargets(client: pg.ClientBase, s: string): Promise<RegisteredTarget[]> {
  const { rows } = await client.query<Row>(
    `select ${columns} from ${s}.target t order by t.name, t.id, t.partition`,
  );
  return rows.map(targetOf);
}

/** Forgets a target, by id or name. */
export async function forgetTarget(client: pg.ClientBase, s: string, idOrName: string): Promise<number> {
  const { rowCount } = await client.query(`delete from ${s}.target where id::text = $1 or name = $1`, [
    idOrName,
  ]);
  return rowCount ?? 0;
}

function targetOf(row: Row): RegisteredTarget {
  return {
    id: row["id"]!,
    name: row["name"]!,
    address: row["address"]!,
    partition: Number(row["partition"]),
    position: positionOf(BigInt(row["tick"]!), BigInt(row["n"]!)),
    state: row["state"] === "needs-backfill" ? "needs-backfill" : "following",
    seenAt: Number(row["seen_at"]),
  };
}
