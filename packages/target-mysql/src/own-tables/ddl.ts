const text = "LONGTEXT";
const identifier = "VARCHAR(255)";

/** Lockstep's own tables, all in the target's database. Keys that may be long are found by their hash. */
export const ownTables: Readonly<Record<string, string>> = {
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
    steps BIGINT NOT NULL,
    restarts BIGINT NOT NULL DEFAULT 0,
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
    KEY over_since (source, part, resolved_at),
    KEY newest (last_failed_at, id),
    KEY waiting (waiting_for)`,
  lockstep_staging: `
    source ${identifier} NOT NULL,
    part INT NOT NULL,
    n BIGINT NOT NULL,
    position VARCHAR(41) NOT NULL,
    line ${text} NOT NULL,
    PRIMARY KEY (source, part, n)`,
  // Of rows of two-way tables: which writes a row holds (core's RowVersion). Triggers write it for writes of this database's own, lanes for
  // theirs. stamp 0: nothing yet, a row made to be locked. deleted_at, ms: the row is gone, and no late write of it counts.
  lockstep_row_version: `
    table_name VARCHAR(64) NOT NULL,
    row_key VARCHAR(600) NOT NULL,
    stamp BIGINT NOT NULL DEFAULT 0,
    node VARCHAR(63) NOT NULL DEFAULT '',
    seen VARCHAR(4000) NOT NULL DEFAULT '{}',
    came_from VARCHAR(63) NULL,
    deleted_at BIGINT NULL,
    PRIMARY KEY (table_name, row_key)`,
};
