import type { Redis } from "ioredis";

/** Field of every hash that says which change wrote it, and of which table: `<version> <namespace.table>`. */
export const ownField = "_lockstep";

/**
 * **Maintained invariant**: a row's version never goes down, neither while it is there (in its hash) nor after it is gone (in its tombstone). A writer that
 * was fenced out can't tell (PROTOCOL.md 19), so every write compares in the same script; without the tombstone a late write would bring a removed row back.
 */
const newer = `
local known = redis.call('HGET', KEYS[1], '${ownField}') or redis.call('GET', KEYS[2])
if known and string.sub(known, 1, #ARGV[1]) > ARGV[1] then return 0 end`;

const scripts = {
  /** KEYS: hash, tombstone. ARGV: version, table, 'whole' or 'part', time to live (ms, 0: none), number of NULLs, their fields, then fields and values. */
  lockstepWrite: `${newer}
local part, ttl, nulls = ARGV[3] == 'part', tonumber(ARGV[4]), tonumber(ARGV[5])
-- Of a row that has expired only a part is known: it stays away until it comes whole.
if part and ttl > 0 and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if not part then redis.call('DEL', KEYS[1]) end
redis.call('DEL', KEYS[2])
for i = 6, 5 + nulls do redis.call('HDEL', KEYS[1], ARGV[i]) end
redis.call('HSET', KEYS[1], '${ownField}', ARGV[1] .. ' ' .. ARGV[2])
for i = 6 + nulls, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ttl > 0 then redis.call('PEXPIRE', KEYS[1], ttl) end
return 1`,
  /** KEYS: hash, tombstone. ARGV: version, how long the tombstone stays (ms). */
  lockstepRemove: `${newer}
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1`,
  /** The same for a row of a table that is emptied, if it is one. ARGV: version, tombstone's time, table, then fields and values that it must have. */
  lockstepEmpty: `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local known = redis.call('HGET', KEYS[1], '${ownField}')
if not known or string.match(known, ' (.*)$') ~= ARGV[3] or string.sub(known, 1, #ARGV[1]) > ARGV[1] then return 0 end
for i = 4, #ARGV, 2 do if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1`,
  /** KEYS: the mark. ARGV: version. */
  lockstepMark: `
local known = redis.call('GET', KEYS[1])
if not known or known < ARGV[1] then redis.call('SET', KEYS[1], ARGV[1]) end
return 1`,
} as const;

/** A script's call. */
export type ScriptCall = readonly [name: keyof typeof scripts, ...parameters: (string | number)[]];

/** Teaches a client the scripts. */
export function defineScripts(redis: Redis): void {
  for (const [name, lua] of Object.entries(scripts))
    redis.defineCommand(name, { lua, numberOfKeys: name === "lockstepMark" ? 1 : 2 });
}
