/** How long one lock is waited for where others queue behind who waits, ms. */
const tableLockMs = 5_000;

/** The advisory lock of whoever installs. */
export const installing = "hashtextextended('lockstep install', 0)";

/**
 * Statements as one, so that nothing goes in between, and so that processes that start at the same moment do it one after another. It gives up (55P03) where a
 * lock takes longer than `lockMs`, or than the session's own `lock_timeout` if that is less: others would queue behind it. Nothing of this
 * stays in the session. Each statement ends in a semicolon. Pure.
 *
 * No `exception` block may stand in it: a replication slot that is being made would stay with the session when its error is caught.
 */
export function bounded(
  statements: readonly string[],
  { declare = "", lockMs = tableLockMs }: { readonly declare?: string; readonly lockMs?: number } = {},
): string {
  return `do $lockstep$ declare timeout text := current_setting('lock_timeout'); ${declare}begin
perform set_config('lock_timeout', least(nullif((select setting::int from pg_settings where name = 'lock_timeout'), 0), ${lockMs})::text, true);
perform pg_advisory_xact_lock(${installing});
${statements.join("\n")}
perform set_config('lock_timeout', timeout, true);
end $lockstep$`;
}
