-- Moves leases forward and stores cursors, each only where the token is still the session's.
-- KEYS: due
-- ARGV: prefix of state:<session>, lease (ms), then for each beat three:
--   session, token, "=" .. cursor or "" to leave it
-- Returns the numbers of the lost leases.
local due = KEYS[1]
local prefix, lease = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local until_at = time[1] * 1000 + math.floor(time[2] / 1000) + lease
redis.call('PERSIST', due) -- first, a write that cannot grow: a full server lets the rest through

local lost = {}
for at = 3, #ARGV, 3 do
  local session, token, cursor = unpack(ARGV, at, at + 2)
  local state = prefix .. 'state:' .. session
  if redis.call('HGET', state, 'token') == token then
    redis.call('ZADD', due, 'XX', until_at, session)
    if cursor ~= '' then
      redis.call('HSET', state, 'cursor', string.sub(cursor, 2))
    end
  else
    lost[#lost + 1] = at / 3
  end
end
return lost
