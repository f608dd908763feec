-- Forgets a session with all that waits in it. Who holds it finds its settle refused.
-- KEYS: due head stats mail:<session> state:<session>
-- ARGV: session
-- Returns how many events were dropped.
local due, head, stats, mail, state = unpack(KEYS)
local session = ARGV[1]

local dropped = redis.call('LLEN', mail)
local held = redis.call('HEXISTS', state, 'token')
redis.call('DEL', mail, state)
redis.call('ZREM', due, session)
redis.call('ZREM', head, session)
if dropped > 0 then redis.call('HINCRBY', stats, 'depth', -dropped) end
if held == 1 then redis.call('HINCRBY', stats, 'in_flight', -1) end
return dropped
