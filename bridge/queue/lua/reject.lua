-- Keeps a body that never became an event as a dead letter.
-- KEYS: stats dead
-- ARGV: dead letters kept, session, reason, error, payload
local stats, dead = unpack(KEYS)
local keep, session, reason, problem, payload = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local value = string.format('\1771%013.0f', now) .. payload -- magic byte 177, version 1, accepted at
redis.call('XADD', dead, 'MAXLEN', '~', keep, '*', 'session', session, 'reason', reason, 'error', problem,
  'tries', 0, 'value', value)
return redis.call('HINCRBY', stats, 'buried', 1)
