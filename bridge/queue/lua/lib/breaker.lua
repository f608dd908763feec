-- The breaker of a queue: while it is open, nothing is claimed but now and then one delivery that probes. It
-- belongs to what the queue sends to as a whole; in these fields of the stats:
--   down_since  when it opened (ms); absent while it is closed
--   down_until  when the next probe may be claimed (ms)
--   down_tries  how many waits there were
--   probe       the session that probes; absent while none does
-- While it is closed, the set `failing` holds the sessions that failed since anything got through. So one chat
-- that always fails opens nothing, and many that fail at the same time open it once.
local OPENS_AT = 5 -- sessions that failed, with nothing that got through in between
local FORGET = 60000 -- ms after which earlier failures do not count any more
local FIRST, LONGEST = 1000, 15000 -- ms until a probe: doubled after each, up to a bound; less up to a quarter

local function breaker_of(since, until_at, tries, probe)
  return {
    since = tonumber(since), until_at = tonumber(until_at or 0), tries = tonumber(tries or 0),
    probe = probe or nil, opened = 0, closed_after = -1
  }
end

local function wait_longer(breaker, now, jitter)
  local wait = math.min(LONGEST, FIRST * 2 ^ math.min(breaker.tries, 10))
  breaker.until_at = now + math.floor(wait * (1 - jitter / 4))
  breaker.tries, breaker.probe, breaker.changed = breaker.tries + 1, nil, true
end

-- What the end of a try in `session` says of the other side: "up", "down" (of this try), "shut" (down for all),
-- "unsure" (of weight in a probe alone), or "" for nothing. Returns whether it was down already and this was no
-- probe: that try was lost, and does not count.
local function hear(breaker, failing, said, session, now, jitter)
  if said == 'up' then
    if not breaker.calm then redis.call('DEL', failing) end
    breaker.calm = true
    if breaker.since then
      breaker.closed_after, breaker.since, breaker.probe = now - breaker.since, nil, nil
      breaker.changed = true
    end
  elseif session == breaker.probe and said ~= '' then
    wait_longer(breaker, now, jitter)
  elseif said == '' or said == 'unsure' then
    if session == breaker.probe then -- it did not get as far as the other side: let another one probe
      breaker.probe, breaker.until_at, breaker.changed = nil, now, true
    end
  elseif not breaker.since then
    breaker.calm = false
    redis.call('SADD', failing, session)
    redis.call('PEXPIRE', failing, FORGET)
    if said == 'shut' or redis.call('SCARD', failing) >= OPENS_AT then
      redis.call('DEL', failing)
      breaker.since, breaker.tries, breaker.opened = now, 0, 1
      wait_longer(breaker, now, jitter)
    end
  else
    return true
  end
  return false
end

-- How many of the slots may be used now.
local function slots_of(breaker, due, prefix, slots, now)
  if not breaker.since then return slots end
  if breaker.probe and redis.call('HEXISTS', prefix .. 'state:' .. breaker.probe, 'token') == 1 then
    -- For as long as its lease is kept, it is the one.
    breaker.until_at = math.max(breaker.until_at, tonumber(redis.call('ZSCORE', due, breaker.probe) or 0))
  end
  return breaker.until_at <= now and math.min(slots, 1) or 0
end

local function probes(breaker, session, until_at)
  breaker.probe, breaker.until_at, breaker.changed = session, until_at, true
end

local function save(breaker, stats)
  if not breaker.changed then return end
  if not breaker.since then
    redis.call('HDEL', stats, 'down_since', 'down_until', 'down_tries', 'probe')
    return
  end
  redis.call('HSET', stats, 'down_since', breaker.since, 'down_until', breaker.until_at, 'down_tries', breaker.tries)
  if breaker.probe then
    redis.call('HSET', stats, 'probe', breaker.probe)
  else
    redis.call('HDEL', stats, 'probe')
  end
end

