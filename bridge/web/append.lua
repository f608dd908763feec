-- Adds an entry to a chat's history, once for each key, and tells the browsers that look at it.
-- KEYS: 1 the history (stream), 2 what is remembered of this entry's key (string)
-- ARGV: 1 entry, 2 entries kept, 3 seconds the history is kept, 4 seconds the key is remembered, 5 channel,
--   6 notice, 7 "1" if the entry comes from an event that is deleted next: then a full server takes it, unless
--   the history is new (a new stream takes 4 kB, which is more than most events give back)
-- Gives the id of the entry; for a repeated key that of the first one.
local log, seen = KEYS[1], KEYS[2]
local first = redis.call('GET', seen)
if first then
  return first
end
if ARGV[7] == '1' and redis.call('EXISTS', log) == 1 then
  redis.call('PERSIST', log) -- first, a write that cannot grow: a full server lets the rest through
end
local id = redis.call('XADD', log, 'MAXLEN', '~', ARGV[2], '*', 'e', ARGV[1])
redis.call('EXPIRE', log, ARGV[3])
redis.call('SET', seen, id, 'EX', ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[6])
return id
