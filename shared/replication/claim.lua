-- Become the only writer of a shard's log. A log that is missing, or of another incarnation, starts anew.
-- KEYS  1 meta  2 log
-- ARGV  1 incarnation  2 epoch  3 head_if_new
local meta = redis.call('HMGET', KEYS[1], 'incarnation', 'head')
if meta[1] ~= ARGV[1] or not meta[2] then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'incarnation', ARGV[1], 'head', ARGV[3])
  meta[2] = ARGV[3]
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2])
return tonumber(meta[2])
