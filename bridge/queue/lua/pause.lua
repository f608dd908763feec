-- Lets nothing be claimed until it is lifted again.
-- KEYS: stats due wake
-- ARGV: reason; "" lifts the pause, closes the breaker and wakes a worker
-- Returns whether that changed anything: the first reason stays.
local stats, due, wake = unpack(KEYS)
local reason = ARGV[1]
redis.call('PERSIST', stats) -- first, a write that cannot grow: a full server lets the rest through
if reason ~= '' then
  return redis.call('HSETNX', stats, 'paused', reason)
end
local lifted = redis.call('HDEL', stats, 'paused', 'down_since', 'down_until', 'down_tries', 'probe')
if redis.call('EXISTS', due) == 1 and redis.call('LLEN', wake) == 0 then
  redis.call('LPUSH', wake, '1')
end
return math.min(lifted, 1)
