-- One look at a queue; writes nothing.
-- KEYS: due head stats dead
-- Returns {depth, in_flight, delivered, retried, duplicates, buried, paused, sessions, claimable now but for
--   holds, ms since the oldest waiting event was accepted, dead letters, ms until a hold ends, ms since the
--   breaker opened (-1: it is closed)}.
local due, head, stats, dead = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local seen = redis.call('HMGET', stats, 'depth', 'in_flight', 'delivered', 'retried', 'duplicates', 'buried', 'paused')
local held = redis.call('HMGET', stats, 'hold_until', 'down_since', 'down_tries')
for n = 1, 6 do
  seen[n] = tonumber(seen[n] or 0)
end
seen[7] = seen[7] or ''
seen[8] = redis.call('ZCARD', due)
seen[9] = redis.call('ZCOUNT', due, '-inf', now)
seen[10] = math.max(0, now - (redis.call('ZRANGE', head, 0, 0, 'WITHSCORES')[2] or now))
seen[11] = redis.call('XLEN', dead)
seen[12] = math.max(0, tonumber(held[1] or 0) - now)
seen[13] = held[2] and held[3] ~= '0' and now - held[2] or -1 -- 0 after a resume: nothing has failed yet
return seen
