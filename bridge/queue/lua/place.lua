-- Takes in events that ingress accepted earlier and could not push, each once, in front of what is newer.
-- A waiting event is newer if it was accepted after this one arrived and, where both tell when they were sent,
-- was sent later. There is no limit to the depth: these were accepted already.
-- A duplicate may be a push that seemed to fail and was done later, when the server woke: it is put where it
-- would be if it had been done when it arrived. Else what arrived after it would go before it.
-- KEYS: due head stats wake, then three for each event: seen:<digest> mail:<session> state:<session>
-- ARGV: how long a digest is remembered (ms), then four for each event: session, payload, arrived at (ms),
--   sent at (ms) or "" where it does not say
-- Returns for each event 1 accepted, 0 duplicate.
local due, head, stats, wake = unpack(KEYS, 1, 4)
local remember = ARGV[1]
local CLOCKS = 5 -- ms by which clocks that were compared with this one may still differ
local LATE = 500 -- of the newest events of a session so many are looked at for a push that was done late
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answers, duplicates = {}, 0

for at = 2, #ARGV, 4 do
  local n = (at - 2) / 4 * 3 + 5
  local seen, mail, state = KEYS[n], KEYS[n + 1], KEYS[n + 2]
  local session, payload, arrived_at = ARGV[at], ARGV[at + 1], math.min(tonumber(ARGV[at + 2]), now)
  local value = string.format('\1771%013.0f', arrived_at) .. payload -- as push writes it
  local function is_later(other)
    return accepted(other) >= arrived_at - CLOCKS
  end
  local function is_newer(other)
    if not is_later(other) then return false end
    local own = tonumber(ARGV[at + 3])
    local others = own and sent(other)
    if others then return own < others end
    return accepted(other) > arrived_at + CLOCKS
  end
  if redis.call('EXISTS', seen) == 1 then
    duplicates = duplicates + 1
    answers[#answers + 1] = 0
    for _, other in ipairs(newest(mail, state, is_later, LATE)) do
      if string.sub(other, 16) == payload then
        redis.call('LREM', mail, -1, other)
        insert(mail, state, due, head, wake, session, value, is_newer, now)
        break
      end
    end
  else
    insert(mail, state, due, head, wake, session, value, is_newer, now)
    redis.call('SET', seen, '', 'PX', remember)
    redis.call('HINCRBY', stats, 'depth', 1)
    answers[#answers + 1] = 1
  end
end
if duplicates > 0 then
  redis.call('PERSIST', stats) -- first, a write that cannot grow: a full server lets the rest through
  redis.call('HINCRBY', stats, 'duplicates', duplicates)
end
return answers
