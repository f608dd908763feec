-- Which sessions failed lately: sorted sets of sessions with a time (ms), which forget what is long past.
local FORGET = 60000 -- ms after which a failure does not count any more
local REMEMBERED = 1000 -- sessions that failed lately, at most

-- Adds a session, and drops what is older than `ms` and, but for the newest, more than `most` sessions.
local function remember(set, session, now, ms, most)
  redis.call('ZADD', set, now, session)
  redis.call('ZREMRANGEBYSCORE', set, '-inf', now - ms)
  redis.call('ZREMRANGEBYRANK', set, 0, -most - 1)
  redis.call('PEXPIRE', set, ms)
end

local function note_failure(failed, session, now)
  remember(failed, session, now, FORGET, REMEMBERED)
end

