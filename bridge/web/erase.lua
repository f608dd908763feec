-- Erases all files of a chat, and takes them out of the sum of what is kept.
-- KEYS: 1 the chat's files (set), 2 file -> when it ends (sorted set), 3 file -> what it counts for (hash),
--       4 the sum of these (string)
-- ARGV: 1 what the keys of a file's bytes begin with, 2 what those of what is known of it begin with
-- Gives how many there were.
local chat, ends, sizes, sum = unpack(KEYS)
local files = redis.call('SMEMBERS', chat)
for _, file in ipairs(files) do
  redis.call('DEL', ARGV[1] .. file, ARGV[2] .. file)
  if redis.call('ZREM', ends, file) == 1 then
    redis.call('DECRBY', sum, redis.call('HGET', sizes, file) or 0)
    redis.call('HDEL', sizes, file)
  end
end
redis.call('DEL', chat)
if redis.call('ZCARD', ends) == 0 then
  redis.call('DEL', sum)
end
return #files
