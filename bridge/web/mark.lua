-- Marks a chat's history as delivered or read up to its newest entry, and tells the browsers that look at it.
-- KEYS: 1 the history (stream), 2 its marks (hash)
-- ARGV: 1 mark, 2 seconds the marks are kept, 3 channel, 4 notice
-- Gives the id the mark now stands at, nil where the history is empty.
local log, marks = KEYS[1], KEYS[2]
local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
if not newest then
  return nil
end
redis.call('PERSIST', marks) -- first, a write that cannot grow: a full server lets the rest through
redis.call('HSET', marks, ARGV[1], newest[1])
redis.call('EXPIRE', marks, ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return newest[1]
