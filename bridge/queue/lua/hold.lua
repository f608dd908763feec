-- Lets nothing be claimed for a while, or nothing be sent to one chat; a longer hold under way stays.
-- KEYS: stats; for a chat hold:<chat> too
-- ARGV: ms
local stats, chat = unpack(KEYS)
local ms = tonumber(ARGV[1])
local time = redis.call('TIME')
local field, until_at = chat and 'chats_until' or 'hold_until', time[1] * 1000 + math.floor(time[2] / 1000) + ms
redis.call('PERSIST', stats) -- first, a write that cannot grow: a full server lets the rest through
if until_at > tonumber(redis.call('HGET', stats, field) or 0) then
  redis.call('HSET', stats, field, until_at)
end
if chat and ms > math.max(0, redis.call('PTTL', chat)) then
  redis.call('SET', chat, '', 'PX', ms)
end
return until_at
