-- Lets nothing be claimed until it is lifted again.
-- KEYS: stats due wake refused denied failed
-- ARGV: reason, prefix of state:<session>; the reason "" lifts the pause, closes the breaker and wakes a worker
-- Returns whether that changed anything: the first reason stays.
-- Where refusals paused the queue, the breaker is left open for one delivery to probe at once, so that a session
-- that was not refused shows whether the account works.
local stats, due, wake, refused, denied, failed = unpack(KEYS)
local reason, prefix = ARGV[1], ARGV[2]
redis.call('PERSIST', stats) -- first, a write that cannot grow: a full server lets the rest through
if reason ~= '' then
  return redis.call('HSETNX', stats, 'paused', reason)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local was_paused = redis.call('HDEL', stats, 'paused') == 1
local closed = redis.call('HDEL', stats, 'down_since', 'down_until', 'down_fresh', 'down_tries', 'probe') > 0
if was_paused and retry_refused(refused, denied, failed, due, prefix, now) then
  redis.call('HSET', stats, 'down_since', now, 'down_until', now, 'down_fresh', now, 'down_tries', 0)
end
if redis.call('EXISTS', due) == 1 and redis.call('LLEN', wake) == 0 then
  redis.call('LPUSH', wake, '1')
end
return (was_paused or closed) and 1 or 0
