-- Appends events to their sessions' mailboxes, each once.
-- KEYS: due head stats wake, then two for each event: seen:<digest> mail:<session>
-- ARGV: depth limit, how long a digest is remembered (ms), then two for each event: session, payload
-- Returns for each event 1 accepted, 0 duplicate, -1 full. A refused one changes nothing but the counter of duplicates.
local due, head, stats, wake = unpack(KEYS, 1, 4)
local limit, remember = tonumber(ARGV[1]), ARGV[2]
local call, time = redis.call, redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local header = string.format('\1771%013.0f', now) -- magic byte 177, version 1, accepted at
local depth = tonumber(call('HGET', stats, 'depth') or 0)
local answers, accepted, duplicates, woken = {}, 0, 0, false

for at = 3, #ARGV, 2 do
  local seen, mail, session = KEYS[at + 2], KEYS[at + 3], ARGV[at]
  if call('EXISTS', seen) == 1 then
    duplicates = duplicates + 1
    answers[#answers + 1] = 0
  elseif depth + accepted >= limit then
    answers[#answers + 1] = -1
  else
    call('RPUSH', mail, header .. ARGV[at + 1])
    call('SET', seen, '', 'PX', remember)
    accepted = accepted + 1
    answers[#answers + 1] = 1
    if call('ZADD', due, 'NX', now, session) == 1 then
      call('ZADD', head, now, session)
      woken = true
    end
  end
end
if accepted > 0 then call('HINCRBY', stats, 'depth', accepted) end
if duplicates > 0 then
  call('PERSIST', stats) -- first, a write that cannot grow: a full server lets the rest through
  call('HINCRBY', stats, 'duplicates', duplicates)
end
if woken and call('LLEN', wake) == 0 then call('LPUSH', wake, '1') end
return answers
