-- Appends events to their sessions' mailboxes, each once.
-- KEYS: due head stats wake dead, then two for each event: seen:<digest> mail:<session>
-- ARGV: depth limit, how long a digest is remembered (ms), what one session holds at most, from where on it
--   takes nothing ephemeral, dead letters kept; then three for each event: session, payload, "1" if ephemeral
-- Returns for each event 1 accepted, 0 duplicate, -1 full, -2 shed, -3 kept as a dead letter: the session is
--   flooded. A refused or shed one changes nothing but the counter of duplicates.
local due, head, stats, wake, dead = unpack(KEYS, 1, 5)
local limit, remember, most, soft, keep =
  tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local call, time = redis.call, redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local header = string.format('\1771%013.0f', now) -- magic byte 177, version 1, accepted at
local depth = tonumber(call('HGET', stats, 'depth') or 0)
local answers, accepted, duplicates, buried, woken = {}, 0, 0, 0, false

for at = 6, #ARGV, 3 do
  local n = (at - 6) / 3 * 2 + 6
  local seen, mail, session = KEYS[n], KEYS[n + 1], ARGV[at]
  local answer = 1
  if call('EXISTS', seen) == 1 then
    duplicates = duplicates + 1
    answer = 0
  elseif ARGV[at + 2] == '1' and call('LLEN', mail) >= soft then
    answer = -2
  elseif depth + accepted >= limit then
    answer = -1
  else
    local value = header .. ARGV[at + 1]
    if call('RPUSH', mail, value) > most then
      call('RPOP', mail)
      if call('XLEN', dead) * 2 >= keep then -- one session's flood must not push out the letters of others
        answer = -1
      else
        call('XADD', dead, '*', 'session', session, 'reason', 'flood', 'error', '', 'tries', 0, 'value', value)
        call('SET', seen, '', 'PX', remember)
        buried = buried + 1
        answer = -3
      end
    else
      call('SET', seen, '', 'PX', remember)
      accepted = accepted + 1
      if call('ZADD', due, 'NX', now, session) == 1 then
        call('ZADD', head, now, session)
        woken = true
      end
    end
  end
  answers[#answers + 1] = answer
end
if accepted > 0 then call('HINCRBY', stats, 'depth', accepted) end
if buried > 0 then call('HINCRBY', stats, 'buried', buried) end
if duplicates > 0 then
  call('PERSIST', stats) -- first, a write that cannot grow: a full server lets the rest through
  call('HINCRBY', stats, 'duplicates', duplicates)
end
if woken and call('LLEN', wake) == 0 then call('LPUSH', wake, '1') end
return answers
