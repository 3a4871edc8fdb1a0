import { script } from "./script.js";

/**
 * Compare-and-append (PROTOCOL.md 1). KEYS: stream, epoch. ARGV: epoch, then per entry: id, previous, envelope, rows.
 * Replies `{landed, refusal, last}`; refusal is '' when all landed. Redis 7.0 or newer: before that XINFO does not know `max-deleted-entry-id`.
 *
 * - An entry lands only if its `previous` is the stream's last-generated id; the first refusal ends the call.
 * - One that is at or below it counts as landed only when the entry there names the same predecessor, or when it is trimmed.
 * - A stream of which somebody deleted entries (XDEL; Lockstep only trims) has a hole: nothing lands.
 */
export const appendScript = script(`
local function below(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end
local function compare(a, b)
  local at, an = string.match(a, '^(%d+)-(%d+)$')
  local bt, bn = string.match(b, '^(%d+)-(%d+)$')
  if at ~= bt then return below(at, bt) and -1 or 1 end
  if an ~= bn then return below(an, bn) and -1 or 1 end
  return 0
end
if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[1] then return {0, 'epoch', ''} end
if redis.call('EXISTS', KEYS[1]) == 0 then return {0, 'missing', ''} end
-- Without FULL it gives two whole entries, which takes longer than all the rest.
local reply = redis.call('XINFO', 'STREAM', KEYS[1], 'FULL', 'COUNT', 1)
local info = {}
for i = 1, #reply, 2 do info[reply[i]] = reply[i + 1] end
local last = info['last-generated-id']
if info['max-deleted-entry-id'] ~= '0-0' then return {0, 'deleted', last} end
local first = info['entries'][1] and info['entries'][1][1]
local landed = 0
for i = 2, #ARGV, 4 do
  local id, previous = ARGV[i], ARGV[i + 1]
  if compare(id, last) > 0 then
    if previous ~= last then return {landed, 'chain', last} end
    redis.call('XADD', KEYS[1], id, 'e', ARGV[i + 2], 'r', ARGV[i + 3])
    last = id
    if not first then first = id end
  elseif first and compare(id, first) >= 0 then
    local there = redis.call('XRANGE', KEYS[1], id, id)[1]
    if not there or cjson.decode(there[2][2]).prev ~= previous then return {landed, 'chain', last} end
  end
  landed = landed + 1
end
if #ARGV > 1 and last == ARGV[#ARGV - 3] then redis.call('HSET', KEYS[2], 'total', cjson.decode(ARGV[#ARGV - 1]).total) end
return {landed, '', last}
`);

/** Deletes a feed and begins it anew. KEYS: stream, epoch. ARGV: position, epoch, incarnation. */
export const beginScript = script(`
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('XGROUP', 'CREATE', KEYS[1], 'begin', '$', 'MKSTREAM')
redis.call('XGROUP', 'DESTROY', KEYS[1], 'begin')
if ARGV[1] ~= '0-0' then redis.call('XSETID', KEYS[1], ARGV[1]) end
redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'incarnation', ARGV[3])
return redis.status_reply('OK')
`);

/** Where a feed stands, without its entries' bodies on the wire. KEYS: stream, epoch. Replies `{epoch, incarnation, last, length, total or nil}` or nil. */
export const headScript = script(`
local epoch = redis.call('HMGET', KEYS[2], 'epoch', 'incarnation', 'total')
if not epoch[1] or not epoch[2] or redis.call('EXISTS', KEYS[1]) == 0 then return false end
local reply = redis.call('XINFO', 'STREAM', KEYS[1])
local info = {}
for i = 1, #reply, 2 do info[reply[i]] = reply[i + 1] end
local last = info['last-generated-id']
local newest = info['last-entry'] and info['last-entry'][1]
if info['max-deleted-entry-id'] ~= '0-0' or (newest and newest ~= last) then return false end
return {epoch[1], epoch[2], last, info['length'], epoch[3]}
`);

/** A stream's last-generated id, or nil when there is no stream; XINFO alone would send two whole entries. KEYS: stream. */
export const lastScript = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local reply = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #reply, 2 do
  if reply[i] == 'last-generated-id' then return reply[i + 1] end
end
`);
