-- Keeps a body that never became an event as a dead letter, once.
-- KEYS: stats dead seen:<digest>
-- ARGV: dead letters kept, how long a digest is remembered (ms), session, reason, error, payload
-- Returns 1, or 0 for a repeat, which changes nothing but the counter of duplicates.
local stats, dead, seen = unpack(KEYS)
local keep, remember, session, reason, problem, payload = unpack(ARGV)
if redis.call('EXISTS', seen) == 1 then
  redis.call('PERSIST', stats) -- first, a write that cannot grow: a full server lets the rest through
  redis.call('HINCRBY', stats, 'duplicates', 1)
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local value = string.format('\1771%013.0f', now) .. payload -- magic byte 177, version 1, accepted at
redis.call('XADD', dead, 'MAXLEN', '~', keep, '*', 'session', session, 'reason', reason, 'error', problem,
  'tries', 0, 'value', value)
redis.call('SET', seen, '', 'PX', remember)
redis.call('HINCRBY', stats, 'buried', 1)
return 1
