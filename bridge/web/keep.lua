-- Keeps a file for a while, if all that is kept leaves room for it; what has ended leaves the sum first.
-- KEYS: 1 the bytes (string), 2 what is known of them (hash), 3 file -> when it ends, in ms (sorted set),
--       4 file -> what it counts for (hash), 5 the sum of these (string), 6 the chat's files (set)
-- ARGV: 1 file, 2 bytes, 3 what it counts for, 4 what all may count for together, 5 seconds,
--       6... names and values of what is known of it
-- Gives 1, or 0 where there is no room: then nothing is kept.
local body, about, ends, sizes, sum, chat = unpack(KEYS)
local file, bytes, size, most, seconds = unpack(ARGV, 1, 5)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 1000)) do
  redis.call('DECRBY', sum, redis.call('HGET', sizes, ended) or 0)
  redis.call('HDEL', sizes, ended)
  redis.call('ZREM', ends, ended)
end
if tonumber(redis.call('GET', sum) or 0) + tonumber(size) > tonumber(most) then
  return 0
end
redis.call('SET', body, bytes, 'EX', seconds)
redis.call('HSET', about, unpack(ARGV, 6))
redis.call('EXPIRE', about, seconds)
redis.call('ZADD', ends, now + seconds * 1000, file)
redis.call('HSET', sizes, file, size)
redis.call('INCRBY', sum, size)
redis.call('SADD', chat, file)
for _, key in ipairs({ends, sizes, sum, chat}) do
  if redis.call('TTL', key) < tonumber(seconds) then
    redis.call('EXPIRE', key, seconds)
  end
end
return 1
