import type { Flavour } from "./flavour.js";

/**
 * SQL mode of every session.
 * - STRICT_ALL_TABLES: a value that doesn't fit is an error, also in the second row of a multi-row INSERT.
 * - NO_AUTO_VALUE_ON_ZERO: 0 in an AUTO_INCREMENT key stays 0.
 * - ALLOW_INVALID_DATES, and NO_ZERO_DATE and NO_ZERO_IN_DATE left out: what a MySQL source holds ('0000-00-00') arrives as it is.
 * - NO_BACKSLASH_ESCAPES and ANSI_QUOTES left out: literals are escaped for that (`sql/literal.ts`).
 */
const sqlMode = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES";

/** Warnings a statement may raise before the server drops some: deprecation notes of MySQL come before those about data. */
const maxErrorCount = 1024;

/**
 * The statements that make a session independent of the server's settings. DDL may take as long as it needs:
 * `statementTimeoutMs` undefined.
 */
export function sessionPin(flavour: Flavour, statementTimeoutMs: number | undefined): string {
  const lockSeconds = Math.max(1, Math.ceil((statementTimeoutMs ?? 60_000) / 2000));
  const settings = [
    `sql_mode = '${sqlMode}'`,
    "time_zone = '+00:00'",
    "autocommit = 1",
    "completion_type = 'NO_CHAIN'",
    "foreign_key_checks = 1",
    "unique_checks = 1",
    // A rounded DECIMAL is only a note; without notes it would pass unseen.
    "sql_notes = 1",
    `max_error_count = ${maxErrorCount}`,
    // Constraint and column names are read from messages.
    "lc_messages = 'en_US'",
    "sql_safe_updates = 0",
    "sql_select_limit = DEFAULT",
    `innodb_lock_wait_timeout = ${lockSeconds}`,
    `lock_wait_timeout = ${lockSeconds}`,
    // Sessions wait for work; a lane's own sets another limit and keeps itself alive.
    "wait_timeout = 2147483",
    ...(flavour.product === "mariadb" ? mariadb(statementTimeoutMs) : mysql(statementTimeoutMs)),
  ];
  return [
    `SET NAMES utf8mb4 COLLATE ${flavour.exactCollation}`,
    `SET SESSION ${settings.join(", ")}`,
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
  ].join("; ");
}

function mariadb(timeoutMs: number | undefined): readonly string[] {
  return [
    `max_statement_time = ${timeoutMs === undefined ? 0 : timeoutMs / 1000}`,
    // A long IN list stays a range over the primary key instead of a join that may scan.
    "in_predicate_conversion_threshold = 0",
  ];
}

function mysql(timeoutMs: number | undefined): readonly string[] {
  // Covers SELECT only; the client's own deadline covers the rest (session/session.ts).
  return [`max_execution_time = ${timeoutMs ?? 0}`, "range_optimizer_max_mem_size = 0"];
}
