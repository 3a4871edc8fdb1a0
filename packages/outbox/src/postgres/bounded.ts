import { quoteBody } from "./quote.js";

/** How long one lock is waited for where others queue behind who waits, ms. */
const tableLockMs = 5_000;

/** The same for an upgrade, which is tried again: the first time and at most, ms. The latter is above `deadlock_timeout`, after which an autovacuum makes way. */
const firstUpgradeMs = 300;
const maxUpgradeMs = 1_500;

const upgradeTries = 5;

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
  const body = ` declare timeout text := current_setting('lock_timeout'); ${declare}begin
${waitAtMost(lockMs)}
perform pg_advisory_xact_lock(${installing});
${statements.join("\n")}
perform set_config('lock_timeout', timeout, true);
end `;
  return `do ${quoteBody(body, "lockstep")}`;
}

/**
 * A block of statements that is tried several times where locks keep it waiting ({@link bounded}): in between it holds none, and those who queued behind it are left
 * alone for twice as long as they waited. Fails with what stopped the last try. Pure.
 */
export function triedAgain(statements: readonly string[]): string {
  return `declare timeout text := current_setting('lock_timeout'); begun timestamptz; begin
for tries in 1..${upgradeTries} loop
  begun := clock_timestamp();
  begin
    ${waitAtMost(`least(${firstUpgradeMs} * 2 ^ (tries - 1), ${maxUpgradeMs})::int`)}
    ${statements.join("\n")}
    perform set_config('lock_timeout', timeout, true);
    exit;
  exception when lock_not_available or deadlock_detected then
    if tries = ${upgradeTries} then raise; end if;
  end;
  perform pg_sleep(2 * extract(epoch from clock_timestamp() - begun));
end loop; end;`;
}

function waitAtMost(lockMs: number | string): string {
  return `perform set_config('lock_timeout', least(nullif((select setting::int from pg_settings where name = 'lock_timeout'), 0), ${lockMs})::text, true);`;
}
