-- Settles what a worker holds, then claims what is due.
-- KEYS: due head stats wake dead failing failed refused denied closed
-- ARGV: prefix of mail:<session> and state:<session>, free slots, suspicion it can bear, lease (ms), dead letters
--   kept, until when it may claim (ms of this clock; "": whenever); then for each settle six: verb, session,
--   token, a, b, what it says of the other side (lib/breaker.lua) -- "ack"; "bury" with a = reason, b = error;
--   "wait" and "retry" (parks: uncounted, counted) with a = delay (ms), b = "=" .. cursor, or "" to leave it;
--   "refuse" and "deny" (lib/refusals.lua: of the chat or the account, of the account) with a = chat, b as for a
--   park, and the platform's words in the last place
-- Returns {numbers of the settles that came too late, claims as {session, token, tries, crashes, cursor, value,
--   refusal}, ms until something becomes claimable (-1: never, as things are), 1 when paused, 1 when a chat is
--   held, 1 when the breaker has opened, ms it was open when it has closed (-1: it has not), what time it is
--   (ms), 1 when it came too late to claim, the reason if this turn paused the queue, 1 when it has lifted a pause}.
-- A state holds a token exactly while its session is claimed: a token found at a claim is a crash.
-- After two in a row a session is a suspect: of these a worker gets a few; after three it gets one, and no other
--   suspect. So an event that kills workers is found out without all that were in the same hands. What is too
--   much suspicion for a worker is put aside for a moment.
local due, head, stats, wake, dead, failing, failed, refused, denied, closed = unpack(KEYS)
local prefix, slots, suspicion = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local lease, keep, claims_until, aside = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), 250
local call, time = redis.call, redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counts = { in_flight = 0, depth = 0, delivered = 0, retried = 0, buried = 0 }
call('DEL', wake) -- first, a write that cannot grow: a full server lets the rest through

local known = call('HMGET', stats,
  'paused', 'hold_until', 'chats_until', 'down_since', 'down_until', 'down_fresh', 'down_tries', 'probe')
local paused, hold, chats = known[1], tonumber(known[2] or 0), tonumber(known[3] or 0)
local breaker, jitter = breaker_of(unpack(known, 4, 8)), time[2] % 1000 / 1000
local pauses, lifted = '', 0
local trouble = #ARGV > 6 and call('EXISTS', failed, refused, closed) > 0 -- as a rule there is none to end

local outdated = {}
for at = 7, #ARGV, 6 do
  local verb, session, token, a, b, said = unpack(ARGV, at, at + 5)
  local mail, state = prefix .. 'mail:' .. session, prefix .. 'state:' .. session
  if call('HGET', state, 'token') ~= token then
    outdated[#outdated + 1] = (at - 1) / 6
  else
    counts.in_flight = counts.in_flight - 1
    local refuses = verb == 'refuse' or verb == 'deny'
    local signal = refuses and 'answered' or said
    local lost = hear(breaker, failing, failed, signal, session, now, jitter)
    trouble = trouble or (signal ~= 'up' and signal ~= '')
    if signal == 'up' and trouble then
      call('ZREM', failed, session)
      release(refused, closed, due, prefix, session, now)
      if was_forbidden(paused) then
        call('HDEL', stats, 'paused')
        paused, pauses, lifted = nil, '', pauses == '' and 1 or lifted
      end
    end
    if refuses or verb == 'wait' or verb == 'retry' then
      local delay, reason = a, nil
      call('HDEL', state, 'token', 'crashes')
      if b ~= '' then call('HSET', state, 'cursor', string.sub(b, 2)) end
      if verb == 'refuse' then
        delay, reason = refuse(refused, closed, state, session, a, said)
      elseif verb == 'deny' then
        delay, reason = deny(denied, session, said)
      elseif verb == 'retry' and not lost then
        counts.retried = counts.retried + 1
        call('HINCRBY', state, 'tries', 1)
      end
      call('ZADD', due, lost and now or now + delay, session)
      if reason and call('HSETNX', stats, 'paused', reason) == 1 then paused, pauses = reason, reason end
    else
      local value, tries = call('LPOP', mail), verb == 'bury' and call('HGET', state, 'tries') or 0
      if value then counts.depth = counts.depth - 1 end
      call('DEL', state)
      if verb == 'bury' then
        counts.buried = counts.buried + 1
        call('XADD', dead, 'MAXLEN', '~', keep, '*', 'session', session, 'reason', a, 'error', b,
          'tries', tries, 'value', value or '')
      else
        counts.delivered = counts.delivered + 1
      end
      local follower = call('LINDEX', mail, 0)
      if follower then -- to the back, so that no session starves the others
        call('ZADD', due, now, session)
        local from = string.sub(follower, 2, 2) == '2' and 16 or 3 -- a replayed one is as old as its replay
        call('ZADD', head, tonumber(string.sub(follower, from, from + 12)) or now, session)
      else
        call('ZREM', due, session)
        call('ZREM', head, session)
      end
    end
  end
end

local ready = {}
local late = slots > 0 and claims_until and now > claims_until
if late then slots = 0 end
local probe = breaker.since and next_probe(breaker, due, failed, prefix, now)
if slots > 0 and not paused and hold <= now then
  if breaker.since then
    ready = { probe }
  else
    ready = call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, slots)
  end
end
local token = #ready > 0 and call('HINCRBY', stats, 'token', #ready) - #ready
local claims = {}
for _, session in ipairs(ready) do
  -- No value: the server has evicted the mailbox, which it should not. The claim is empty and will be buried.
  local state, value = prefix .. 'state:' .. session, call('LINDEX', prefix .. 'mail:' .. session, 0)
  local held, tries, crashes, cursor, refusal =
    unpack(call('HMGET', state, 'token', 'tries', 'crashes', 'cursor', 'refusal'))
  tries, crashes, token = tonumber(tries or 0), tonumber(crashes or 0), token + 1
  if held then tries, crashes, counts.retried = tries + 1, crashes + 1, counts.retried + 1 end
  local weight = crashes > 2 and 8 or crashes > 1 and 1 or 0 -- as Delivery.suspicion
  if weight > suspicion then
    if held then
      counts.in_flight = counts.in_flight - 1
      call('HDEL', state, 'token')
      call('HSET', state, 'tries', tries, 'crashes', crashes)
    end
    call('ZADD', due, now + aside, session)
  else
    suspicion = suspicion - weight
    if held then
      call('HSET', state, 'token', token, 'tries', tries, 'crashes', crashes)
    else
      counts.in_flight = counts.in_flight + 1
      call('HSET', state, 'token', token)
    end
    call('ZADD', due, now + lease, session)
    claims[#claims + 1] = { session, token, tries, crashes, cursor or '', value or '', refusal or '' }
  end
end
if claims[1] and breaker.since then probes(breaker, claims[1][1], now + lease) end
save(breaker, stats)

for name, by in pairs(counts) do
  if by ~= 0 then call('HINCRBY', stats, name, by) end
end
local first, wait = call('ZRANGE', due, 0, 0, 'WITHSCORES'), -1
if not paused and first[2] then
  wait = math.max(tonumber(first[2]), hold, gate_of(breaker, probe, now)) - now
  if wait == 0 then call('LPUSH', wake, '1') end -- more is due than there were slots: for another worker
end
return {
  outdated, claims, wait, paused and 1 or 0, chats > now and 1 or 0, breaker.opened, breaker.closed_after,
  now, late and 1 or 0, pauses, lifted
}
