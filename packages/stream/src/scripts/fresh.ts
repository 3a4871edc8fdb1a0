import { script } from "./script.js";

/**
 * Records that go out of date. Redis 7.0 has no expiry for single fields of a hash, so every value carries the time it was
 * written, by Redis' own clock: `<ms> <text>`.
 *
 * KEYS: hash, keys of which one lacks the field → `wake` is published. ARGV: field, text, channel or ''.
 * Replies 1 when the field is new.
 */
export const putFreshScript = script(`
local t = redis.call('TIME')
local isNew = redis.call('HSET', KEYS[1], ARGV[1], t[1] .. string.sub('000000' .. t[2], -6, -4) .. ' ' .. ARGV[2])
local wake = isNew == 1
for i = 2, #KEYS do
  if redis.call('HEXISTS', KEYS[i], ARGV[1]) == 0 then wake = true end
end
if wake and ARGV[3] ~= '' then redis.call('PUBLISH', ARGV[3], '') end
return isNew
`);

/** Texts not older than a bound; forgets the others. KEYS: hash. ARGV: bound in ms. Replies a flat list of field, text. */
export const listFreshScript = script(`
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local all = redis.call('HGETALL', KEYS[1])
local fresh = {}
for i = 1, #all, 2 do
  local space = string.find(all[i + 1], ' ', 1, true)
  if now - tonumber(string.sub(all[i + 1], 1, space - 1)) > tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    fresh[#fresh + 1] = all[i]
    fresh[#fresh + 1] = string.sub(all[i + 1], space + 1)
  end
end
return fresh
`);

/** Removes a target's fields from hashes. KEYS: hashes. ARGV: target id. Replies the partitions it had. */
export const forgetScript = script(`
local prefix = ARGV[1] .. ':'
local seen, partitions = {}, {}
for _, key in ipairs(KEYS) do
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, #prefix) == prefix then
      redis.call('HDEL', key, field)
      local partition = string.sub(field, #prefix + 1)
      if not seen[partition] then
        seen[partition] = true
        partitions[#partitions + 1] = partition
      end
    end
  end
end
return partitions
`);

/** Sets or removes a field, and publishes when that changed something. KEYS: hash. ARGV: field, text or '', channel. */
export const putWishScript = script(`
local was = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  if was then redis.call('PUBLISH', ARGV[3], '') end
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  if was ~= ARGV[2] then redis.call('PUBLISH', ARGV[3], '') end
end
return 1
`);

/**
 * Acknowledges, and moves a wish to be fed along with it: what is pruned by an acknowledgement is then never what a wish still names, whenever a
 * relay reads the two. Never backward, and it makes none: only the lane asks (a restored target asks from where it went back to).
 * KEYS: acknowledgements, wishes. ARGV: field, position.
 */
export const acknowledgeScript = script(`
local function below(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local wish = redis.call('HGET', KEYS[2], ARGV[1])
if not wish then return 0 end
local wt, wn = string.match(wish, '^(%d+)-(%d+)$')
local at, an = string.match(ARGV[2], '^(%d+)-(%d+)$')
if below(wt, at) or (wt == at and below(wn, an)) then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
return 1
`);
