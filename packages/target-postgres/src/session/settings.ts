import type { Command } from "../wire/pipeline.js";

/** How long things may take in a session. */
export interface SessionLimits {
  /** Bound of one statement, ms. */
  readonly statementTimeoutMs: number;
  /** The source whose changes the session writes: where the target is itself captured by triggers, they know whose these are. */
  readonly origin?: string;
}

/**
 * Pins everything that the meaning of a text, or the time a statement may take, depends on. One statement, for the start of a
 * session.
 */
export function pinSettings(limits: SessionLimits, applicationName: string): Command {
  const settings: readonly (readonly [name: string, value: string])[] = [
    ["application_name", applicationName],
    ["lockstep.origin", limits.origin ?? ""],
    ["TimeZone", "UTC"],
    ["DateStyle", "ISO, MDY"],
    ["IntervalStyle", "postgres"],
    ["bytea_output", "hex"],
    ["extra_float_digits", "1"],
    ["lc_monetary", "C"],
    ["xmloption", "content"],
    ["standard_conforming_strings", "on"],
    ["client_min_messages", "warning"],
    ["statement_timeout", String(limits.statementTimeoutMs)],
    ["lock_timeout", String(Math.ceil(limits.statementTimeoutMs / 3))],
    ["idle_in_transaction_session_timeout", String(limits.statementTimeoutMs * 2)],
    // A consumer whose machine is gone must not hold its lane: the server asks after 5 s of silence and gives up after 9.
    ["tcp_keepalives_idle", "5"],
    ["tcp_keepalives_interval", "2"],
    ["tcp_keepalives_count", "2"],
    // Staged rows are joined to their table by its primary key, always: a plan made while the table was small, and kept
    // prepared, would otherwise scan all of a table that has grown. Staged rows are never analysed either.
    ["enable_seqscan", "off"],
    ["enable_hashjoin", "off"],
    ["enable_mergejoin", "off"],
    // The "cost" of a discouraged scan would have every such plan compiled.
    ["jit", "off"],
  ];
  const pinned = settings.map(
    ([name, value]) => `set_config('${name}', '${value.replaceAll("'", "''")}', false)`,
  );
  return { text: `select ${[...pinned, durableCommit].join(", ")}` };
}

// A commit is acknowledged to the source, which then forgets its events: it must be on disk (with "off" a crash of the target
// would take back rows that nobody can send again). Stricter values stay.
const durableCommit =
  "set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'local' else current_setting('synchronous_commit') end, false)";
