-- Append one batch to a shard's log: check, add, move the head, publish, all or nothing.
-- KEYS  1 meta  2 log  3 ops
-- ARGV  1 incarnation  2 epoch  3 previous  4 position  5 keep_after  6 batch
local meta = redis.call('HMGET', KEYS[1], 'incarnation', 'epoch', 'head')
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] then return {'FENCED'} end
if tonumber(ARGV[4]) <= tonumber(meta[3]) then return {'DONE'} end
if ARGV[3] ~= meta[3] then return {'CONFLICT', meta[3]} end
-- The entry's id is the position; '-1' because Redis refuses the id 0-0.
redis.call('XADD', KEYS[2], 'MINID', '~', ARGV[5], ARGV[4] .. '-1', 'b', ARGV[6])
redis.call('HSET', KEYS[1], 'head', ARGV[4])
redis.call('PUBLISH', KEYS[3], ARGV[6])
return {'OK'}
