-- One look at a queue; writes nothing.
-- KEYS: due head stats dead
-- Returns {depth, in_flight, delivered, retried, duplicates, buried, paused, sessions, claimable now,
--   ms since the oldest waiting event was accepted, dead letters}.
local due, head, stats, dead = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local seen = redis.call('HMGET', stats,
  'depth', 'in_flight', 'delivered', 'retried', 'duplicates', 'buried', 'paused')
for n = 1, 6 do
  seen[n] = tonumber(seen[n] or 0)
end
seen[7] = seen[7] or ''
seen[8] = redis.call('ZCARD', due)
seen[9] = redis.call('ZCOUNT', due, '-inf', now)
seen[10] = math.max(0, now - (redis.call('ZRANGE', head, 0, 0, 'WITHSCORES')[2] or now))
seen[11] = redis.call('XLEN', dead)
return seen
