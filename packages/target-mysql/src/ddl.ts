import { randomUUID } from "node:crypto";
import { LockstepError } from "@lockstep/core";
import type { Session } from "./connection/session.js";
import { lockName } from "./lock-name.js";

const text = "LONGTEXT";
const identifier = "VARCHAR(255)";

/** Lockstep's own tables, all in the target's database. Keys that may be long are found by their hash. */
const tables: Readonly<Record<string, string>> = {
  lockstep_identity: `
    one TINYINT NOT NULL PRIMARY KEY,
    id CHAR(36) NOT NULL,
    layout INT NOT NULL`,
  lockstep_checkpoint: `
    source ${identifier} NOT NULL,
    part INT NOT NULL,
    position VARCHAR(41) NOT NULL,
    epoch BIGINT NOT NULL,
    incarnation ${identifier} NOT NULL,
    total BIGINT NOT NULL,
    records_synced BIGINT NOT NULL,
    last_sync_at BIGINT NULL,
    seeded TINYINT NOT NULL,
    staged_through VARCHAR(41) NULL,
    paused TINYINT NOT NULL,
    PRIMARY KEY (source, part)`,
  // At most one live letter per row: live_hash is NULL as soon as a letter is over, and NULLs don't collide.
  // (VARCHAR: MariaDB refuses CHAR in the expression, whose spaces depend on the SQL mode.)
  lockstep_dead_letter: `
    id CHAR(36) NOT NULL PRIMARY KEY,
    source ${identifier} NOT NULL,
    part INT NOT NULL,
    table_id ${identifier} NOT NULL,
    row_key ${text} NOT NULL,
    row_hash VARCHAR(64) NOT NULL,
    op VARCHAR(16) NOT NULL,
    tick BIGINT UNSIGNED NOT NULL,
    n BIGINT UNSIGNED NOT NULL,
    ordinal BIGINT NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    image ${text} NULL,
    before_key ${text} NULL,
    state VARCHAR(16) NOT NULL,
    code VARCHAR(64) NOT NULL,
    about ${identifier} NULL,
    raw_error ${text} NOT NULL,
    attempts INT NOT NULL,
    max_attempts INT NOT NULL,
    first_failed_at BIGINT NOT NULL,
    last_failed_at BIGINT NOT NULL,
    due_at BIGINT NULL,
    waiting_for CHAR(36) NULL,
    resolved_at BIGINT NULL,
    resolved_by ${identifier} NULL,
    reason ${text} NULL,
    history ${text} NOT NULL,
    live_hash VARCHAR(64) GENERATED ALWAYS AS (CASE WHEN state IN ('retrying', 'due', 'waiting', 'dead') THEN row_hash END) STORED,
    UNIQUE KEY live (live_hash),
    KEY lane (source, part, state, tick, n, ordinal),
    KEY newest (last_failed_at, id),
    KEY waiting (waiting_for)`,
  lockstep_staging: `
    source ${identifier} NOT NULL,
    part INT NOT NULL,
    n BIGINT NOT NULL,
    position VARCHAR(41) NOT NULL,
    line ${text} NOT NULL,
    PRIMARY KEY (source, part, n)`,
};

const layout = 1;
const lockSeconds = 30;

/**
 * Makes what is missing of Lockstep's tables and returns the target's uuid. One process at a time; where everything is there it only reads,
 * so that no right to create tables is needed after the first start.
 */
export async function ensureTables(session: Session, database: string): Promise<string> {
  const known = await identity(session, database);
  if (known !== undefined) return known;
  const name = lockName("ensure", database);
  const [lock] = await session.rows("SELECT GET_LOCK(?, ?) AS got", [name, lockSeconds]);
  if (lock?.["got"] !== "1") {
    throw new LockstepError(
      "TARGET_UNAVAILABLE",
      "another process is making Lockstep's tables in the target",
    );
  }
  try {
    for (const [table, body] of Object.entries(tables)) {
      await session.write(
        `CREATE TABLE IF NOT EXISTS ${table} (${body}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE ${session.flavour.exactCollation}`,
      );
    }
    // The uuid comes last: who finds it finds all tables.
    await session.write("INSERT IGNORE INTO lockstep_identity (one, id, layout) VALUES (1, ?, ?)", [
      randomUUID(),
      layout,
    ]);
    return (await identity(session, database))!;
  } finally {
    await session.rows("SELECT RELEASE_LOCK(?)", [name]);
  }
}

async function identity(session: Session, database: string): Promise<string | undefined> {
  const [table] = await session.rows(
    "SELECT COUNT(*) AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?)",
    [database, Object.keys(tables)],
  );
  if (Number(table?.["n"]) < Object.keys(tables).length) return undefined;
  const [row] = await session.rows("SELECT id FROM lockstep_identity WHERE one = 1");
  return row?.["id"] ?? undefined;
}
