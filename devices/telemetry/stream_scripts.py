"""What runs inside Redis, because it must be all or nothing, or would else take several trips."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import hiredis
from redis.asyncio import Connection
from redis.exceptions import NoScriptError

ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class Script:
    """A Lua script, called by its hash and sent again where Redis does not know it (any more)."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest())

    def call(self, client: Any, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Runs it. Raises: RedisError. Cost: one round trip."""
        try:
            return client.evalsha(self.sha, len(keys), *keys, *args)
        except NoScriptError:
            return client.eval(self.text, len(keys), *keys, *args)

    async def call_async(self, connection: Connection, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Runs it from an event loop, on a connection that nobody else uses meanwhile.

        Raises: RedisError, OSError, TimeoutError; the connection is then closed, and opened anew by the next call.
        """
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                return await _ask(connection, "EVALSHA", self.sha, len(keys), *keys, *args)
            except NoScriptError:
                return await _ask(connection, "EVAL", self.text, len(keys), *keys, *args)


async def _ask(connection: Connection, *words: Any) -> Any:
    # redis-py's own client takes three times as long for the same, most of it in Python's packing and its timers.
    await connection.send_packed_command(hiredis.pack_command(words), check_health=False)
    return await connection.read_response()


# Keys: epoch, totals, marks, gate, layout, then stream and bell of each parcel. Arguments: a new epoch, the bell's
# seconds, the layout by which the parcels were made (or an empty text), then of each parcel shard, readings, "1" for a
# copy, bytes. Gives the positions and the shards whose bell was silent.
# Lua's numbers are exact up to 2^53, which is far beyond any count here.
APPEND = Script("""
if redis.call('EXISTS', KEYS[4]) == 1 then
    return redis.error_reply('RESHARDING the number of shards is being changed')
end
if ARGV[3] ~= '' then
    local mine, latest = tonumber(ARGV[3]), tonumber(redis.call('GET', KEYS[5]) or '0')
    if mine < latest then
        return redis.error_reply('RESHARDED the number of shards has changed')
    end
    if mine > latest then redis.call('SET', KEYS[5], ARGV[3]) end
end
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local ids, rung, bytes = {}, {}, 0
for i = 1, (#ARGV - 3) / 4 do
    local shard, readings, copy, data = ARGV[4 * i], ARGV[4 * i + 1], ARGV[4 * i + 2], ARGV[4 * i + 3]
    local stream, bell = KEYS[2 * i + 4], KEYS[2 * i + 5]
    local number = string.format('%.0f', redis.call('HINCRBY', KEYS[2], 'n' .. shard, 1) - 1)
    if copy == '1' then
        local before = redis.call('HGET', KEYS[2], shard) or '0'
        ids[i] = redis.call('XADD', stream, '*', 'b', data, 't', before, 'n', number, 'c', '1')
    else
        local before = redis.call('HINCRBY', KEYS[2], shard, readings) - tonumber(readings)
        ids[i] = redis.call('XADD', stream, '*', 'b', data, 't', string.format('%.0f', before), 'n', number)
    end
    bytes = bytes + #data
    if redis.call('SET', bell, '1', 'NX', 'EX', ARGV[2]) then
        rung[#rung + 1] = tonumber(shard)
    end
end
local before = redis.call('HINCRBY', KEYS[2], 'bytes', bytes) - bytes
local now = tonumber(string.match(ids[1], '^%d+'))
local marked = tonumber(redis.call('HGET', KEYS[2], 'marked') or '0')
if now >= marked + 1000 or now < marked then
    redis.call('ZADD', KEYS[3], string.format('%.0f', before), string.format('%.0f', now))
    redis.call('HSET', KEYS[2], 'marked', string.format('%.0f', now))
end
return {ids, rung}
""")

# Keys: stream, totals, marks. Arguments: the committed position, the oldest instant in ms that the margin's seconds
# keep, the margin's bytes. Gives how many entries went. The margin is whichever keeps less; whole nodes only.
TRIM = Script("""
local keep_ms = tonumber(ARGV[2])
local total = tonumber(redis.call('HGET', KEYS[2], 'bytes') or '0')
local most = string.format('%.0f', total - tonumber(ARGV[3]))
local mark = redis.call('ZREVRANGEBYSCORE', KEYS[3], most, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
if mark[1] then
    keep_ms = math.max(keep_ms, tonumber(mark[1]))
    redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. mark[2])
end
local from = ARGV[1]
if tonumber(string.match(from, '^%d+')) >= keep_ms then
    from = string.format('%.0f-0', keep_ms)
end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', from)
""")

# Keys: totals, then streams. Arguments: of each stream shard and position. Gives of each how many readings lie behind
# the position, and the position of the first entry there (or an empty text).
BACKLOG = Script("""
local answer = {}
for i = 1, #KEYS - 1 do
    local first = redis.call('XRANGE', KEYS[i + 1], '(' .. ARGV[2 * i], '+', 'COUNT', 1)[1]
    local waiting, id = 0, ''
    if first then
        id = first[1]
        local total, before = tonumber(redis.call('HGET', KEYS[1], ARGV[2 * i - 1]) or '0'), 0
        for f = 1, #first[2], 2 do
            if first[2][f] == 't' then before = tonumber(first[2][f + 1]) end
        end
        waiting = total - before
    end
    answer[i] = {waiting, id}
end
return answer
""")

# Key: the marks. Argument: the µs after which a mark is too old to go on from. Gives since when somebody listens.
LISTENS = Script("""
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local since = redis.call('HGET', KEYS[1], 'since')
local last = tonumber(redis.call('HGET', KEYS[1], 'last') or '0')
local text = string.format('%.0f', now)
if not since or now - last > tonumber(ARGV[1]) then
    since = text
end
redis.call('HSET', KEYS[1], 'since', since, 'last', text)
return since
""")

# Keys: gate, layout. Arguments: the database's layout. Takes the layout back where the database was put back to before
# it, not while the gate is closed: then the database is about to be ahead.
AGREE = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 and tonumber(redis.call('GET', KEYS[2]) or '0') > tonumber(ARGV[1]) then
    redis.call('SET', KEYS[2], ARGV[1])
end
""")

# Keys: gate. Arguments: who closed it, ms. Gives 1 where it is still theirs, and keeps it closed for so long.
HOLD = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
""")

# Keys: gate. Arguments: who closed it.
OPEN = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
""")
