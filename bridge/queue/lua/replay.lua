-- Takes one dead letter out of the stream and appends it to its session's mailbox, as accepted now.
-- KEYS: dead mail:<session> due head stats wake
-- ARGV: id, session
-- Returns 1, or 0 when there is no such letter (it was replayed or purged already).
local dead, mail, due, head, stats, wake = unpack(KEYS)
local id, session = ARGV[1], ARGV[2]

local letter = redis.call('XRANGE', dead, id, id)[1]
if not letter then
  return 0
end
local fields = {}
for n = 1, #letter[2], 2 do
  fields[letter[2][n]] = letter[2][n + 1]
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local value = fields.value
if string.sub(value, 1, 2) == '\1771' then -- a value of another version is put back as it is
  value = string.format('\1771%013.0f', now) .. string.sub(value, 16)
end

redis.call('XDEL', dead, id)
redis.call('RPUSH', mail, value)
redis.call('HINCRBY', stats, 'depth', 1)
if redis.call('ZADD', due, 'NX', now, session) == 1 then
  redis.call('ZADD', head, now, session)
  if redis.call('LLEN', wake) == 0 then
    redis.call('LPUSH', wake, '1')
  end
end
return 1
