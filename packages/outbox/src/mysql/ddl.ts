import { type MysqlOutboxOptions, outboxPlace } from "./outbox-place.js";
import { quoteName, quoteText } from "./quote.js";

/** Version of the tables; `ensure` replaces what is older. */
export const formatVersion = 7;

/** Names of Lockstep's own tables, quoted; they live in the connection's database. */
export interface TableNames {
  readonly outbox: string;
  readonly tick: string;
  readonly tableSchema: string;
  readonly target: string;
  readonly state: string;
  /** Where a reader of the binlog may begin, and what was counted up to there. */
  readonly logMark: string;
  readonly job: string;
  readonly schedule: string;
  /** Where triggers note what foreign keys will change; made with those triggers. */
  readonly cascade: string;
}

/** Names of an outbox's tables. @throws LockstepError CONFIG_INVALID. */
export function tableNames(options: MysqlOutboxOptions): TableNames {
  const { prefix, table } = outboxPlace(options);
  const name = (table: string): string => quoteName(prefix + table);
  return {
    outbox: quoteName(table),
    tick: name("tick"),
    tableSchema: name("table_schema"),
    target: name("target"),
    state: name("state"),
    logMark: name("log_mark"),
    job: name("job"),
    schedule: name("schedule"),
    cascade: name("cascade"),
  };
}

const options = "ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin ROW_FORMAT = DYNAMIC";

/** Statements that make the tables; each may run again at any time. `mark`: the outbox's comment, by which it is known. */
export function createStatements(names: TableNames, mark: string): string[] {
  return [
    // tick 0: not cut yet. Never NULL, so that marking a row doesn't change its size. ends_tx: the last row of its transaction, so
    // that a tick is put in order while it is read by id, without sorting it.
    `CREATE TABLE IF NOT EXISTS ${names.outbox} (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  tick BIGINT UNSIGNED NOT NULL DEFAULT 0,
  tx CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ends_tx BOOLEAN NOT NULL DEFAULT FALSE,
  at DATETIME(6) NOT NULL,
  op CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  fingerprint CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  row_key MEDIUMTEXT NOT NULL,
  image LONGTEXT NULL,
  before_key MEDIUMTEXT NULL,
  traceparent VARCHAR(255) NULL,
  origin VARCHAR(255) NULL,
  -- Targets that the row is for, by id, with spaces between; NULL: all.
  audience TEXT CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- Of a row of a two-way table: filled by a trigger that two-way nodes have.
  version TEXT NULL,
  KEY by_tick (tick),
  -- In a trigger the server gives NULL for a text beyond max_allowed_packet: an event without its values must not be.
  CONSTRAINT has_image CHECK (image IS NOT NULL OR op IN ('d', 't', 'b'))
) ${options} COMMENT = '${mark}'`,
    ...addedColumn(names.outbox, "audience", "TEXT CHARACTER SET ascii COLLATE ascii_bin NULL"),
    ...addedColumn(names.outbox, "version", "TEXT NULL"),
    `CREATE TABLE IF NOT EXISTS ${names.tick} (
  n BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  at DATETIME(6) NOT NULL,
  events BIGINT UNSIGNED NOT NULL,
  total BIGINT UNSIGNED NOT NULL,
  atomic BOOLEAN NOT NULL
) ${options}`,
    // No unique key on the fingerprint: two transactions that meet a new schema at once must not wait for each other.
    `CREATE TABLE IF NOT EXISTS ${names.tableSchema} (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  fingerprint CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  definition LONGTEXT NOT NULL,
  KEY by_fingerprint (fingerprint)
) ${options}`,
    `CREATE TABLE IF NOT EXISTS ${names.target} (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  \`partition\` INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  address VARCHAR(512) NOT NULL,
  tick BIGINT UNSIGNED NOT NULL,
  n BIGINT UNSIGNED NOT NULL,
  state VARCHAR(20) NOT NULL DEFAULT 'following',
  seen_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id, \`partition\`)
) ${options}`,
    `CREATE TABLE IF NOT EXISTS ${names.state} (
  one TINYINT NOT NULL PRIMARY KEY,
  format INT NOT NULL,
  incarnation CHAR(36) NOT NULL,
  pruned_through BIGINT UNSIGNED NOT NULL DEFAULT 0,
  pruned_total BIGINT UNSIGNED NOT NULL DEFAULT 0,
  \`partitions\` INT NULL,
  capture VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  capture_from VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  capture_stage VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  capture_end VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NULL
) ${options}`,
    ...addedColumn(names.state, "partitions", "INT NULL"),
    // How the source is captured, and while it changes over, how it was before.
    ...addedColumn(names.state, "capture", "VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL"),
    ...addedColumn(names.state, "capture_from", "VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL"),
    // With capture_from: whose log is read (OutboxHandOver), and where that one ends.
    ...addedColumn(names.state, "capture_stage", "VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL"),
    ...addedColumn(names.state, "capture_end", "VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NULL"),
    // Everything below n is counted in total; the last event of it stands at (last_tick, last_n). events: as in the tick table, for
    // the registry. stamp: when the server began the file, which tells it from another one of the same name.
    `CREATE TABLE IF NOT EXISTS ${names.logMark} (
  n BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  at DATETIME(6) NOT NULL,
  events BIGINT UNSIGNED NOT NULL DEFAULT 0,
  total BIGINT UNSIGNED NOT NULL,
  last_tick BIGINT UNSIGNED NOT NULL,
  last_n BIGINT UNSIGNED NOT NULL,
  base VARCHAR(255) NOT NULL,
  stamp BIGINT UNSIGNED NOT NULL
) ${options}`,
    // owner counts claims: a process that was thought to be gone finds another number. live: one of a kind at a time.
    `CREATE TABLE IF NOT EXISTS ${names.job} (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  options LONGTEXT NOT NULL,
  progress LONGTEXT NOT NULL,
  state VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'running',
  live VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin AS (IF(state IN ('running', 'paused'), kind, NULL)) STORED,
  owner BIGINT UNSIGNED NOT NULL DEFAULT 0,
  started_at DATETIME(6) NOT NULL,
  moved_at DATETIME(6) NOT NULL,
  finished_at DATETIME(6) NULL,
  code VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NULL,
  UNIQUE KEY one_of_a_kind (live)
) ${options}`,
    // Who asked for it, and of a schedule's which and when it was due (ms since 1970).
    ...addedColumn(names.job, "asked_by", "VARCHAR(120) NULL"),
    ...addedColumn(names.job, "schedule", "VARCHAR(63) NULL"),
    // Of several consumers that think so at once, one runs what is due.
    ...addedColumn(names.job, "due_at", "BIGINT NULL, ADD UNIQUE KEY one_of_a_time (schedule, due_at)"),
    // Times are ms since 1970, by the consumers' clocks, as cron times are.
    `CREATE TABLE IF NOT EXISTS ${names.schedule} (
  name VARCHAR(63) NOT NULL PRIMARY KEY,
  plan VARCHAR(300) NOT NULL,
  covered_at BIGINT NOT NULL,
  paused_by VARCHAR(120) NULL,
  missed BIGINT NOT NULL DEFAULT 0
) ${options}`,
    `INSERT IGNORE INTO ${names.tick} (n, at, events, total, atomic) VALUES (0, UTC_TIMESTAMP(6), 0, 0, 0)`,
    `INSERT INTO ${names.state} (one, format, incarnation) VALUES (1, ${formatVersion}, UUID())
  ON DUPLICATE KEY UPDATE format = ${formatVersion}`,
  ];
}

/** Adds a column to a table of an older format. MySQL has no ADD COLUMN IF NOT EXISTS. */
function addedColumn(table: string, column: string, definition: string): string[] {
  const add = `ALTER TABLE ${table} ADD COLUMN ${quoteName(column)} ${definition}`;
  const name = table.slice(1, -1).replaceAll("``", "`");
  return [
    `SET @lockstep_ddl = IF(EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
  AND table_name = ${quoteText(name)} AND column_name = ${quoteText(column)}), 'DO 0', ${quoteText(add)})`,
    "PREPARE lockstep_ddl FROM @lockstep_ddl",
    "EXECUTE lockstep_ddl",
    "DEALLOCATE PREPARE lockstep_ddl",
  ];
}

/** Statements that remove the tables. */
export function dropStatements(names: TableNames): string[] {
  return [`DROP TABLE IF EXISTS ${Object.values(names).join(", ")}`];
}
