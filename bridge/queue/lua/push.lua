-- Appends one event to its session's mailbox, once.
-- KEYS: seen:<digest> mail:<session> due head stats wake
-- ARGV: session, payload, depth limit, how long a digest is remembered (ms)
-- Returns 1 accepted, 0 duplicate, -1 full. A refused event changes nothing but the counter of duplicates.
local seen, mail, due, head, stats, wake = unpack(KEYS)
local session, payload, limit, remember = unpack(ARGV)

if redis.call('EXISTS', seen) == 1 then
  redis.call('PERSIST', stats) -- first, a write that cannot grow: a full server lets the rest through
  redis.call('HINCRBY', stats, 'duplicates', 1)
  return 0
end
if tonumber(redis.call('HGET', stats, 'depth') or 0) >= tonumber(limit) then
  return -1
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local header = string.format('\1771%013.0f', now) -- magic byte 177, version 1, accepted at
redis.call('RPUSH', mail, header .. payload)
redis.call('SET', seen, '', 'PX', remember)
redis.call('HINCRBY', stats, 'depth', 1)
if redis.call('ZADD', due, 'NX', now, session) == 1 then
  redis.call('ZADD', head, now, session)
  if redis.call('LLEN', wake) == 0 then
    redis.call('LPUSH', wake, '1')
  end
end
return 1
