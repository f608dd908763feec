-- Refusals by which a platform can mean one chat or the whole account. The hash `refused` holds the chats that
-- were refused since a call last got through, each with its session. Such a session is parked, and its state has
-- the platform's words in the field `refusal`: a worker that claims it buries its event. It is due when a call to
-- another chat gets through, or after REFUSED_MS. REFUSED_CHATS chats in a row pause the queue, until a call that
-- was under way gets through or somebody lifts the pause. A refusal that surely means the account pauses the queue
-- at once; the set `denied` holds the sessions that met one.
-- The sorted set `closed` holds the sessions that were refused while others got through, with the time (ms). They
-- are refused for their own sake: what is refused in them again is buried at once and counts for nothing.
local REFUSED_CHATS, REFUSED_MS = 3, 60000
local FORBIDDEN, UNAUTHORIZED = 'forbidden: ', 'unauthorized: ' -- what the reasons of pauses begin with
local CLOSED_MS, CLOSED_SESSIONS = 86400000, 10000 -- for how long they are known, and how many

-- Notes a refusal. Returns how long the session is parked (ms), and the reason to pause the queue or nil.
local function refuse(refused, closed, state, session, chat, words)
  redis.call('HSET', state, 'refusal', words)
  if redis.call('ZSCORE', closed, session) then return 0, nil end
  redis.call('HSET', refused, chat, session)
  if redis.call('HLEN', refused) < REFUSED_CHATS then return REFUSED_MS, nil end
  return REFUSED_MS, FORBIDDEN .. REFUSED_CHATS .. ' chats in a row were refused, the last one with ' .. words
end

-- A call got through in `passed`, so the account works: what waits in the refused sessions will be buried.
local function release(refused, closed, due, prefix, passed, now)
  redis.call('ZREM', closed, passed)
  local pairs_of = redis.call('HGETALL', refused)
  if not pairs_of[1] then return end
  for n = 2, #pairs_of, 2 do
    local session = pairs_of[n]
    local known = redis.call('HMGET', prefix .. 'state:' .. session, 'refusal', 'token')
    if known[1] and not known[2] then redis.call('ZADD', due, 'XX', now, session) end
    if session ~= passed then remember(closed, session, now, CLOSED_MS, CLOSED_SESSIONS) end
  end
  redis.call('DEL', refused)
end

-- Returns true if the queue was paused for this reason because of chats in a row.
local function was_forbidden(reason)
  return reason and string.sub(reason, 1, #FORBIDDEN) == FORBIDDEN
end

-- Notes a refusal of the account. Returns as `refuse` does.
local function deny(denied, session, words)
  redis.call('SADD', denied, session)
  return 0, UNAUTHORIZED .. words
end

-- A pause is lifted: what was refused is tried again, and after all else (lib/breaker.lua). Returns true if
-- anything was. The chats of `refused` still count until a call gets through.
local function retry_refused(refused, denied, failed, due, prefix, now)
  local sessions = redis.call('HVALS', refused)
  for _, session in ipairs(redis.call('SMEMBERS', denied)) do sessions[#sessions + 1] = session end
  for _, session in ipairs(sessions) do
    local state = prefix .. 'state:' .. session
    redis.call('HDEL', state, 'refusal')
    note_failure(failed, session, now)
    if redis.call('HEXISTS', state, 'token') == 0 then redis.call('ZADD', due, 'XX', now, session) end
  end
  redis.call('DEL', denied)
  return sessions[1] ~= nil
end

