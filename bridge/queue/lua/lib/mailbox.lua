-- What place and replay share: both take events that were accepted earlier than what has come meanwhile, so
-- they put them in front of it. A value is a header and a payload (bridge/queue/mail.py).

-- When the value was accepted: ms.
local function accepted(value)
  return tonumber(string.sub(value, 3, 15)) or 0
end

-- From when the value's age counts: since it was accepted, or replayed.
local function aged(value)
  return string.sub(value, 2, 2) == '2' and tonumber(string.sub(value, 16, 28)) or accepted(value)
end

-- The time inside the event, its sender's; nil where it has none or cannot be read.
local function sent(value)
  local ok, event = pcall(cjson.decode, string.sub(value, string.sub(value, 2, 2) == '2' and 29 or 16))
  return ok and type(event) == 'table' and tonumber(event.timestamp) or nil
end

-- The values at the end of a mailbox for which is_newer(value) holds, the last one first and about `most` of
-- them, and how many values there are. A head that was touched is never among them: parts of it may have gone out.
local function newest(mail, state, is_newer, most)
  local waiting, fixed, page = redis.call('LLEN', mail), redis.call('EXISTS', state), 64
  local newer = {}
  while waiting - #newer > fixed and #newer < (most or math.huge) do
    local last = waiting - #newer - 1
    local values, from = redis.call('LRANGE', mail, math.max(fixed, last - page + 1), last), #newer
    for n = #values, 1, -1 do
      if not is_newer(values[n]) then break end
      newer[#newer + 1] = values[n]
    end
    if #newer - from < #values then break end
  end
  return newer, waiting
end

-- Puts a value into its session's mailbox, in front of the newest. All reads come before the first write,
-- which grows the mailbox: a full server refuses the whole.
local function insert(mail, state, due, head, wake, session, value, is_newer, now)
  local newer, waiting = newest(mail, state, is_newer)
  redis.call('RPUSH', mail, value)
  for n = 1, #newer do redis.call('LSET', mail, waiting - n + 1, newer[n]) end
  if #newer > 0 then redis.call('LSET', mail, waiting - #newer, value) end
  if redis.call('ZADD', due, 'NX', now, session) == 1 then
    if redis.call('LLEN', wake) == 0 then redis.call('LPUSH', wake, '1') end
  end
  if #newer == waiting then redis.call('ZADD', head, aged(value), session) end
end
