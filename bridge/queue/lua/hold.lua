-- Lets nothing be claimed for a while; a longer hold that is under way stays.
-- KEYS: stats
-- ARGV: ms
local stats = KEYS[1]
local time = redis.call('TIME')
local hold_until = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
redis.call('PERSIST', stats) -- first, a write that cannot grow: a full server lets the rest through
if hold_until > tonumber(redis.call('HGET', stats, 'hold_until') or 0) then
  redis.call('HSET', stats, 'hold_until', hold_until)
end
return hold_until
