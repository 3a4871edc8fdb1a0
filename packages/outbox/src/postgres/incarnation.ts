import { createHash } from "node:crypto";
import type pg from "pg";

const insufficientPrivilege = "42501";

/**
 * Identity of the outbox's database (PROTOCOL.md 11): the cluster's system identifier and its timeline, which a promotion or a
 * point-in-time restore changes, the database, and the outbox itself, which is another one after it was removed and made again.
 */
export async function incarnationOf(
  client: pg.ClientBase,
  s: string,
  /** The history that positions belong to, where another table than the outbox's own state says it. */
  of: "state" | { readonly history: string | null } = "state",
): Promise<string> {
  const { rows } = await client.query<{ id: string; history: string | null }>(
    `select s.incarnation || ' ' || d.oid as id, s.history from ${s}.state s, pg_database d where d.datname = current_database()`,
  );
  const cluster = await clusterOf(client);
  const database = createHash("sha256").update(`${cluster} ${rows[0]?.id}`).digest("hex").slice(0, 32);
  const history = of === "state" ? (rows[0]?.history ?? null) : of.history;
  return history === null ? database : historyIn(database, history);
}

/** A history of its own in that database: a replication slot's, and that of the outbox which goes on behind it. */
function historyIn(database: string, history: string): string {
  return createHash("sha256").update(`${database} ${history}`).digest("hex").slice(0, 32);
}

/** Where the rights are missing, the outbox's own id has to do: a promotion then goes unnoticed here. */
async function clusterOf(client: pg.ClientBase): Promise<string> {
  try {
    const { rows } = await client.query<{ cluster: string }>(
      `select system_identifier || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8) as cluster from pg_control_system()`,
    );
    return rows[0]!.cluster;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === insufficientPrivilege) return "";
    throw error;
  }
}
