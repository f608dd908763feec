-- The breaker of a queue: while it is open, nothing is claimed but now and then one delivery that probes. It
-- belongs to what the queue sends to as a whole; in these fields of the stats:
--   down_since  when it opened (ms); absent while it is closed
--   down_until  when the next probe may be claimed (ms)
--   down_fresh  when the next probe may be claimed (ms) for a session that has not failed lately: never later
--   down_tries  how many waits there were; 0 after a resume, which lets one delivery probe at once
--   probe       the session that probes; absent while none does
-- While it is closed, the set `failing` holds the sessions that failed since anything got through. So one chat
-- that always fails opens nothing, and many that fail at the same time open it once.
-- The sorted set `failed` (lib/failures.lua) holds the sessions that failed lately, whether the breaker is open or
-- closed. A session that is not in it probes first. So chats that always fail delay no other chat for long.
local OPENS_AT = 5 -- sessions that failed, with nothing that got through in between
local CANDIDATES = 32 -- the sessions due for longest, of which one probes
local FIRST, LONGEST = 1000, 15000 -- ms until a probe: doubled after each, up to a bound; less up to a quarter

local function breaker_of(since, until_at, fresh_at, tries, probe)
  return {
    since = tonumber(since), until_at = tonumber(until_at or 0), fresh_at = tonumber(fresh_at or 0),
    tries = tonumber(tries or 0), probe = probe or nil, opened = 0, closed_after = -1
  }
end

local function failed_lately(failed, session, now)
  return tonumber(redis.call('ZSCORE', failed, session) or 0) > now - FORGET
end

-- Sets the time of the next probe after a failure. The failure of a session that had failed before says nothing
-- new of the other side, so a session that has not failed lately need not wait longer for it.
local function wait_longer(breaker, was_fresh, now, jitter)
  local wait = math.min(LONGEST, FIRST * 2 ^ math.min(breaker.tries, 10))
  breaker.until_at = now + math.floor(wait * (1 - jitter / 4))
  breaker.fresh_at = was_fresh and breaker.until_at or math.max(breaker.fresh_at, now)
  breaker.tries, breaker.probe, breaker.changed = breaker.tries + 1, nil, true
end

-- What the end of a try in `session` says of the other side: "up" (a call got through), "answered" (it refused
-- this chat, or told it to wait, so it is there), "down" (of this try), "shut" (down for all), "unsure" (of weight
-- in a probe alone), or "" for nothing. Returns true if it was down already and this was no probe: that try was
-- lost, and does not count.
local function hear(breaker, failing, failed, said, session, now, jitter)
  if said == 'up' or said == 'answered' then
    if not breaker.calm then redis.call('DEL', failing) end
    breaker.calm = true
    if breaker.since then
      breaker.closed_after = breaker.tries > 0 and now - breaker.since or -1
      breaker.since, breaker.probe, breaker.changed = nil, nil, true
    end
  elseif said == 'down' or said == 'shut' or (said == 'unsure' and session == breaker.probe) then
    local was_fresh = not failed_lately(failed, session, now)
    note_failure(failed, session, now)
    if session == breaker.probe then
      wait_longer(breaker, was_fresh, now, jitter)
    elseif breaker.since then
      return true
    else
      breaker.calm = false
      redis.call('SADD', failing, session)
      redis.call('PEXPIRE', failing, FORGET)
      if said == 'shut' or redis.call('SCARD', failing) >= OPENS_AT then
        redis.call('DEL', failing)
        breaker.since, breaker.tries, breaker.fresh_at, breaker.opened = now, 0, 0, 1
        wait_longer(breaker, was_fresh, now, jitter)
      end
    end
  elseif session == breaker.probe then -- it did not get as far as the other side: let another one probe
    breaker.probe, breaker.until_at, breaker.fresh_at, breaker.changed = nil, now, now, true
  end
  return false
end

-- Returns the session that may probe now, or nil: the first of those due for longest that has not failed lately,
-- else the one of them whose failure is the longest ago.
local function next_probe(breaker, due, failed, prefix, now)
  if breaker.probe and redis.call('HEXISTS', prefix .. 'state:' .. breaker.probe, 'token') == 1 then
    local lease_ends = tonumber(redis.call('ZSCORE', due, breaker.probe) or 0)
    if lease_ends > now then -- for as long as its lease is kept, it is the one
      breaker.until_at = lease_ends
      return nil
    end
  end
  if breaker.fresh_at > now then return nil end
  local stalest, failed_at
  for _, session in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, CANDIDATES)) do
    local at = tonumber(redis.call('ZSCORE', failed, session) or 0)
    if at <= now - FORGET then return session end
    if not stalest or at < failed_at then stalest, failed_at = session, at end
  end
  return breaker.until_at <= now and stalest or nil
end

-- Returns the time (ms) from which a session that is due may be claimed, where `probe` could be and was not.
local function gate_of(breaker, probe, now)
  if not breaker.since or (probe and not breaker.probe) then return now end
  if breaker.probe or breaker.fresh_at <= now then return breaker.until_at end
  return breaker.fresh_at
end

local function probes(breaker, session, until_at)
  breaker.probe, breaker.until_at, breaker.changed = session, until_at, true
end

local function save(breaker, stats)
  if not breaker.changed then return end
  if not breaker.since then
    redis.call('HDEL', stats, 'down_since', 'down_until', 'down_fresh', 'down_tries', 'probe')
    return
  end
  redis.call('HSET', stats, 'down_since', breaker.since, 'down_until', breaker.until_at,
    'down_fresh', breaker.fresh_at, 'down_tries', breaker.tries)
  if breaker.probe then
    redis.call('HSET', stats, 'probe', breaker.probe)
  else
    redis.call('HDEL', stats, 'probe')
  end
end

