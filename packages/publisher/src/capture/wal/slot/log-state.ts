import { LockstepError, type Position, positionOf } from "@lockstep/core";
import type pg from "pg";
import { Markers, type Marker } from "./markers.js";

/** What the source keeps of its log's capture, and how the slot is. */
export interface LogState {
  readonly slot: string;
  readonly publications: readonly string[];
  /** Made with the slot: another slot is another history. `null`: it goes on behind the outbox, in whose history positions are. */
  readonly history: string | null;
  /** The slot was never told to forget more than this. */
  readonly confirmed: bigint;
  /** Everything up to here may be forgotten. */
  readonly pruned: Position;
  readonly markers: readonly Marker[];
  /** The log is durable up to here. */
  readonly flushed: bigint;
  /** Bytes of the log that the slot holds back. */
  readonly heldBytes: number;
}

/** The tables that keep it: one row, made with the slot; the schemas that the log's tables had; and tables whose replica identity was changed, with the one before. */
export const stateTables = (s: string): readonly string[] => [
  `create table if not exists ${s}.wal (
  slot text not null,
  publications text[] not null,
  incarnation uuid default gen_random_uuid(),
  confirmed bigint not null,
  pruned_tick bigint not null,
  pruned_n bigint not null default 0,
  markers jsonb not null,
  only_one boolean not null default true unique check (only_one)
);`,
  `create table if not exists ${s}.wal_schema (
  fingerprint text primary key,
  rel oid not null,
  definition jsonb not null,
  seen_at timestamptz not null default clock_timestamp()
);`,
  `create table if not exists ${s}.wal_widened (name text primary key);
alter table ${s}.wal_widened add column if not exists identity "char" not null default 'd', add column if not exists by_index oid;`,
];

const undefinedTable = "42P01";

/**
 * Reads the state, and holds the slot against it.
 * @throws LockstepError CAPTURE_NOT_INSTALLED; CAPTURE_LOG_LOST when the slot can no longer give what follows what was confirmed.
 */
export async function readLogState(client: pg.ClientBase, s: string): Promise<LogState> {
  const { rows } = await client
    .query<Record<string, string | null>>(stateQuery(s))
    .catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === undefinedTable) return { rows: [] };
      throw error;
    });
  const [row] = rows;
  if (row === undefined) {
    throw new LockstepError("CAPTURE_NOT_INSTALLED", "the write-ahead log of this source is not captured");
  }
  const confirmed = BigInt(row["confirmed"]!);
  refuseLost(row, confirmed);
  return {
    slot: row["slot"]!,
    publications: JSON.parse(row["publications"]!) as string[],
    history: row["incarnation"] ?? null,
    confirmed,
    pruned: positionOf(BigInt(row["pruned_tick"]!), BigInt(row["pruned_n"]!)),
    markers: markersOf(row["markers"]!),
    flushed: BigInt(row["flushed"]!),
    heldBytes: Number(row["held"]),
  };
}

function stateQuery(s: string): string {
  const lsn = (value: string): string => `(${value} - '0/0')::bigint`;
  return `select w.slot, to_json(w.publications) as publications, w.incarnation, w.confirmed, w.pruned_tick, w.pruned_n, w.markers,
  ${lsn("pg_current_wal_flush_lsn()")} as flushed, ${lsn("pg_current_wal_flush_lsn()")} - ${lsn("r.restart_lsn")} as held,
  (select count(*) from pg_publication p where p.pubname = any (w.publications)) = cardinality(w.publications) as published,
  r.slot_name as found, r.wal_status, ${lsn("r.confirmed_flush_lsn")} as reached, r.plugin, r.database = current_database() as here
 from ${s}.wal w left join pg_replication_slots r on r.slot_name = w.slot`;
}

/** A slot is never made anew silently: what was written meanwhile would be missing without a word (PROTOCOL.md 11). */
function refuseLost(row: Readonly<Record<string, string | null>>, confirmed: bigint): void {
  const slot = row["slot"]!;
  const lost = (why: string): LockstepError =>
    new LockstepError("CAPTURE_LOG_LOST", `the replication slot ${slot} ${why}`, { details: { slot } });
  if (row["found"] === null) throw lost("is gone");
  if (row["here"] !== "t" || row["plugin"] !== "pgoutput") throw lost("is another one now");
  if (row["published"] !== "t") throw lost("has lost a publication");
  if (row["wal_status"] === "lost") throw lost("was invalidated: the server removed the log that it needs");
  // Somebody else read from it, or this table is older than it: what lies between is gone.
  if (BigInt(row["reached"] ?? 0) > confirmed) throw lost("is ahead of what was confirmed");
  if (BigInt(row["flushed"]!) < confirmed) throw lost("is ahead of the log: the source went back in time");
}

function markersOf(text: string): Marker[] {
  const kept = JSON.parse(text) as readonly (readonly [tick: string, total: number, at: number])[];
  return kept.map(([tick, total, at]) => ({ tick: BigInt(tick), total, at }));
}

/** The markers as the table keeps them. */
export function markersText(markers: Markers): string {
  return JSON.stringify(markers.kept().map(({ tick, total, at }) => [String(tick), total, at]));
}
