-- Takes one dead letter out of the stream and puts it back into its session's mailbox, in front of what was
-- accepted after it and still waits. Its age counts from now; its place, also when it dies again, is the old.
-- KEYS: dead mail:<session> state:<session> due head stats wake
-- ARGV: id, session
-- Returns 1, or 0 when there is no such letter (it was replayed or purged already).
local dead, mail, state, due, head, stats, wake = unpack(KEYS)
local id, session = ARGV[1], ARGV[2]

local letter = redis.call('XRANGE', dead, id, id)[1]
if not letter then
  return 0
end
local fields = {}
for n = 1, #letter[2], 2 do
  fields[letter[2][n]] = letter[2][n + 1]
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local value, version = fields.value, string.sub(fields.value, 1, 2)
local at = accepted(value)
if version == '\1771' or version == '\1772' then -- a value of another version is put back as it is
  value = string.format('\1772%013.0f%013.0f', at, now) .. string.sub(value, version == '\1771' and 16 or 29)
end
local function is_newer(other)
  local others = accepted(other)
  -- Of those accepted in the same ms, what was replayed before this one died before it; and what a flooded
  -- session held stood before what was too much for it.
  local same_ms = fields.reason ~= 'flood' and string.sub(other, 2, 2) ~= '2'
  return at > 0 and (others > at or (others == at and same_ms))
end

redis.call('XDEL', dead, id) -- first, a write that cannot grow: a full server lets the rest through
insert(mail, state, due, head, wake, session, value, is_newer, now)
redis.call('HINCRBY', stats, 'depth', 1)
return 1
