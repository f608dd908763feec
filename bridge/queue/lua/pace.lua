-- Reserves one call in every given bucket (GCRA: the key holds the time at which the bucket is empty again).
-- KEYS: one for each bucket
-- ARGV: two for each bucket: ms between calls in the long run, ms by which calls may come early (the burst)
-- Returns ms until the call may go. Each bucket is charged from its own earliest time, so that a chat that
--   has to wait does not reserve the whole channel's future with it.
local buckets, settings = KEYS, ARGV
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000

local wait = 0
for n, bucket in ipairs(buckets) do
  local interval, early = tonumber(settings[2 * n - 1]), tonumber(settings[2 * n])
  local full = math.max(tonumber(redis.call('GET', bucket) or 0), now)
  wait = math.max(wait, full - early - now)
  redis.call('DEL', bucket) -- first, a write that cannot grow: a full server lets the rest through
  redis.call('SET', bucket, string.format('%.3f', full + interval), 'PX', math.ceil(full + interval - now))
end
return math.ceil(wait)
