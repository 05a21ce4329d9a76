"""The straightforward loop: readings to rules in order, compiled. docs/rules.md says in words what it does.

Everything compiled stands in this one module, because the kept machine code is renewed when this file changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from alerts.engine.expression import STACK, Op
from alerts.engine.layout import (
    ACTIVE,
    LEFT_OUT,
    NEVER,
    NO_REASON,
    NONE,
    RETURN,
    RULE_EDITED,
    TRANSITION,
    Gaps,
    Memory,
    Table,
    Tables,
)
from alerts.engine.rules import Kind
from devices.telemetry.batch import Float64, Int32, Int64, Quality, UInt8
from devices.telemetry.compiled import compiled

Row = Any  # one row of a table, written in place

_BAD = int(Quality.BAD)

_HIGH = int(Kind.HIGH)
_LOW = int(Kind.LOW)
_OUTSIDE = int(Kind.OUTSIDE)
_EQUALS = int(Kind.EQUALS)
_NOT_EQUALS = int(Kind.NOT_EQUALS)
_DEVIATION = int(Kind.DEVIATION)
_RATE_HIGH = int(Kind.RATE_HIGH)
_RATE_LOW = int(Kind.RATE_LOW)
_STALE = int(Kind.STALE)
_FLATLINE = int(Kind.FLATLINE)
_EXPRESSION = int(Kind.EXPRESSION)

# Kinds that compare one value with fixed numbers come first.
_LAST_PLAIN = _DEVIATION

_CONST = int(Op.CONST)
_LOAD = int(Op.LOAD)
_NEG = int(Op.NEG)
_ABS = int(Op.ABS)
_NOT = int(Op.NOT)
_ADD = int(Op.ADD)
_SUB = int(Op.SUB)
_MUL = int(Op.MUL)
_DIV = int(Op.DIV)
_MIN = int(Op.MIN)
_MAX = int(Op.MAX)
_LT = int(Op.LT)
_LE = int(Op.LE)
_GT = int(Op.GT)
_GE = int(Op.GE)
_EQ = int(Op.EQ)
_NE = int(Op.NE)
_AND = int(Op.AND)

# More transitions than one reading or one instant can bring to one rule.
_MOST = 8


@compiled
def _delay_due(rule: Row, state: Row) -> Any:
    if state.timer == NONE:
        return NEVER
    if state.active:
        return state.timer + rule.off_delay
    return state.timer + rule.on_delay


@compiled
def _hold_due(rule: Row, state: Row) -> Any:
    if state.holds:
        return NEVER
    if rule.kind == _STALE and state.last_time != NONE:
        return state.last_time + rule.hold
    if rule.kind == _FLATLINE and state.anchor_time != NONE:
        return state.anchor_time + rule.hold
    return NEVER


@compiled
def _emit(rule: Row, state: Row, kind: int, time: int, reason: int, clock_from: int, out: Table, n: int) -> int:
    row = out[n]
    row.rule = rule.id
    row.version = rule.version
    row.kind = kind
    row.time = time
    row.value = state.value
    row.reason = reason
    row.clock_from = clock_from
    return n + 1


@compiled
def _turn(rule: Row, state: Row, time: int, clock_from: int, out: Table, n: int) -> int:
    """Makes an inactive rule active, and an active one inactive."""
    state.timer = NONE
    if state.active:
        state.active = 0
        return _emit(rule, state, RETURN, time, NO_REASON, clock_from, out, n)
    state.active = 1
    state.inherited = 0
    return _emit(rule, state, ACTIVE, time, NO_REASON, clock_from, out, n)


@compiled
def _settled(state: Row, raises: bool, clears: bool) -> bool:
    """Tells whether putting the test would change nothing; asked first, because most readings are of this sort."""
    passes = clears if state.active else raises
    return not passes and state.timer == NONE and not state.inherited


@compiled
def _put(rule: Row, state: Row, time: int, raises: bool, clears: bool, clock_from: int, out: Table, n: int) -> int:
    """Puts the test that counts; leaves `due` to the caller."""
    passes = clears if state.active else raises
    if not passes:
        state.timer = NONE
        if state.inherited and not state.active:
            state.inherited = 0
            n = _emit(rule, state, RETURN, time, RULE_EDITED, clock_from, out, n)
    elif state.timer == NONE:
        delay = rule.off_delay if state.active else rule.on_delay
        if delay == 0:
            n = _turn(rule, state, time, clock_from, out, n)
        else:
            state.timer = time
    return n


@compiled
def _fire(rule: Row, state: Row, clock_from: int, out: Table, n: int) -> int:
    """Fires the timer that is due next; of two due at once the delay."""
    delay = _delay_due(rule, state)
    hold = _hold_due(rule, state)
    if delay <= hold:
        n = _turn(rule, state, delay, clock_from, out, n)
    else:
        state.holds = 1
        n = _put(rule, state, hold, True, False, clock_from, out, n)
    state.due = min(_delay_due(rule, state), _hold_due(rule, state))
    return n


@compiled
def _more(rows: Table, n: int) -> Table:
    """Gives a table of twice the length that begins with the `n` rows."""
    wider = np.empty(2 * len(rows) + 64, rows.dtype)
    wider[:n] = rows[:n]
    return wider


@compiled
def _roomy(regions: Table, at: int, pool: Table) -> Table:
    """Gives a full region twice the room, on free ground; moves the whole pool to a larger one if there is none.

    Rows in use are never written again, so a state and the one made from it may share a pool.
    """
    whole = regions[len(regions) - 1]
    count = regions[at].tail - regions[at].head
    need = 2 * count + 16
    if whole.tail + need <= len(pool):
        start = whole.tail
        pool[start : start + count] = pool[regions[at].head : regions[at].tail]
        regions[at].head = start
        regions[at].tail = start + count
        regions[at].stop = start + need
        whole.tail = start + need
        return pool
    total = 64
    for i in range(len(regions) - 1):
        total += 2 * (regions[i].tail - regions[i].head) + 16
    larger = np.empty(2 * total, pool.dtype)
    start = 0
    for i in range(len(regions) - 1):
        count = regions[i].tail - regions[i].head
        larger[start : start + count] = pool[regions[i].head : regions[i].tail]
        regions[i].head = start
        regions[i].tail = start + count
        start += 2 * count + 16
        regions[i].stop = start
    whole.head = 0
    whole.tail = start
    whole.stop = len(larger)
    return larger


@compiled
def _verdict(ops: Int32, args: Float64, start: int, stop: int, slots: Table, first: int, stack: Float64) -> int:
    """Gives 1 where the expression holds, 0 where it does not, -1 where a division or an overflow leaves it open."""
    height = 0
    for at in range(start, stop):
        op = ops[at]
        if op == _CONST:
            stack[height] = args[at]
            height += 1
            continue
        if op == _LOAD:
            stack[height] = slots[first + np.int64(args[at])].value
            height += 1
            continue
        a = stack[height - 1]
        if op == _NEG:
            stack[height - 1] = -a
            continue
        if op == _ABS:
            stack[height - 1] = abs(a)
            continue
        if op == _NOT:
            stack[height - 1] = 1.0 - a
            continue
        height -= 1
        b = a
        a = stack[height - 1]
        if op == _ADD:
            c = a + b
        elif op == _SUB:
            c = a - b
        elif op == _MUL:
            c = a * b
        elif op == _DIV:
            c = a / b
        elif op == _MIN:
            c = min(a, b)
        elif op == _MAX:
            c = max(a, b)
        elif op == _LT:
            c = 1.0 if a < b else 0.0
        elif op == _LE:
            c = 1.0 if a <= b else 0.0
        elif op == _GT:
            c = 1.0 if a > b else 0.0
        elif op == _GE:
            c = 1.0 if a >= b else 0.0
        elif op == _EQ:
            c = 1.0 if a == b else 0.0
        elif op == _NE:
            c = 1.0 if a != b else 0.0
        elif op == _AND:
            c = min(a, b)
        else:
            c = max(a, b)
        if not np.isfinite(c):
            return -1
        stack[height - 1] = c
    return 1 if stack[0] > 0.0 else 0


@compiled
def _queue(regions: Table, at: int, pool: Table, slot: int, time: int, value: float, bad: int) -> Table:
    """Puts a reading among those that wait, in order of time."""
    if regions[at].tail == regions[at].stop:
        pool = _roomy(regions, at, pool)
    place = regions[at].tail
    while place > regions[at].head and pool[place - 1].time > time:
        pool[place] = pool[place - 1]
        place -= 1
    pool[place].time = time
    pool[place].value = value
    pool[place].slot = slot
    pool[place].bad = bad
    regions[at].tail += 1
    return pool


@compiled
def _complete(rule: Row, slots: Table, interval: Int64, time: int) -> bool:
    """Tells whether no input can bring more for this instant: it is at or past it, or stale."""
    for slot in range(rule.slot, rule.slot_end):
        received = slots[slot].received
        if received >= time:
            continue
        if received == NONE or interval[slot] == 0 or time - received <= 3 * interval[slot]:
            return False
    return True


@compiled
def _judge(
    rule: Row, state: Row, tables: Tables, slots: Table, regions: Table, pool: Table, stack: Float64, out: Table, n: int
) -> int:
    """Judges the first instant that waits: its timers, then all its readings at once, then the tests."""
    region = regions[rule.region]
    time = pool[region.head].time
    while state.due <= time:
        n = _fire(rule, state, NONE, out, n)
    while region.head < region.tail and pool[region.head].time == time:
        entry = pool[region.head]
        slot = slots[entry.slot]
        slot.put_time = time
        slot.bad = entry.bad
        if not entry.bad:
            slot.value = entry.value
            if entry.slot == rule.slot:
                state.value = entry.value
        region.head += 1
    state.horizon = time
    state.last_time = time
    for at in range(rule.slot, rule.slot_end):
        slot = slots[at]
        if slot.put_time == NONE or slot.bad:
            return n
        if tables.interval[at] > 0 and time - slot.put_time > 3 * tables.interval[at]:
            return n
    if rule.kind == _DEVIATION:
        distance = abs(slots[rule.slot].value - slots[rule.other].value)
        raises = distance >= rule.limit
        clears = distance < rule.clear
    else:
        verdict = _verdict(tables.ops, tables.args, rule.code, rule.code_end, slots, rule.slot, stack)
        if verdict < 0:
            return n
        raises = verdict == 1
        clears = not raises
    n = _put(rule, state, time, raises, clears, NONE, out, n)
    state.due = _delay_due(rule, state)
    return n


@compiled
def _limits(rule: Row, v: float) -> tuple[bool, bool]:
    """Gives raise and clear of a limit on one sensor."""
    kind = rule.kind
    if kind == _HIGH:
        return v >= rule.limit, v < rule.clear
    if kind == _LOW:
        return v <= rule.limit, v > rule.clear
    if kind == _OUTSIDE:
        return v >= rule.high or v <= rule.low, rule.low_clear < v < rule.high_clear
    if kind == _EQUALS:
        return v == rule.value, v != rule.value
    if kind == _NOT_EQUALS:
        return v != rule.value, v == rule.value
    distance = abs(v - rule.reference)
    return distance >= rule.limit, distance < rule.clear


@compiled
def _leave_out(rule: Row, sensor: int, time: int, left: Table, m: int) -> Table:
    if m == len(left):
        left = _more(left, m)
    left[m].rule = rule.id
    left[m].version = rule.version
    left[m].sensor = sensor
    left[m].time = time
    return left


@compiled
def _in_gap(gaps: Gaps, at: Int32, range_at: Int32, read: int, place: int, time: int) -> bool:
    """Tells whether a replay leaves this reading out; the pointers move on with time."""
    while at[read] < gaps.first[read + 1] and gaps.time[at[read]] < time:
        at[read] += 1
    if at[read] < gaps.first[read + 1] and gaps.time[at[read]] == time:
        return True
    # Several reads of one rule go on at their own pace, so the pointer is per read.
    while range_at[read] < gaps.range_first[place + 1] and gaps.range_until[range_at[read]] < time:
        range_at[read] += 1
    return bool(range_at[read] < gaps.range_first[place + 1] and gaps.range_after[range_at[read]] < time)


@compiled
def _full(rule: Row, windows: Table) -> bool:
    """Tells whether a rate's window has no room for another reading."""
    if rule.kind != _RATE_HIGH and rule.kind != _RATE_LOW:
        return False
    region = windows[rule.region]
    return bool(region.tail == region.stop)


@compiled
def _alone(
    tables: Tables,
    states: Table,
    windows: Table,
    pool: Table,
    gaps: Gaps,
    with_gaps: bool,
    gap_at: Int32,
    range_at: Int32,
    rows: Int32,
    time: Int64,
    value: Float64,
    quality: UInt8,
    arrival: Int64,
    out: Table,
    n: int,
    i: int,
    read: int,
) -> tuple[int, int, int]:
    """Takes readings to rules over one sensor, up to one that needs more: room, its other inputs, or to be left out.

    No table moves in here, which makes it several times faster than a loop in which one may.
    Takes: the row to begin with and its read, -1 for the first.
    Gives: the row and the read that need more, and how many transitions there are.
    """
    rules = tables.rules
    while i < len(rows):
        row = rows[i]
        if row < 0:
            i += 1
            continue
        t = time[i]
        v = value[i]
        bad = quality[i] == _BAD
        place = tables.only[row]
        if place >= 0 and not with_gaps:
            # What follows below where nothing comes of it, without the way round by `first`: that costs as much as
            # all the rest.
            rule = rules[place]
            state = states[place]
            if state.due == NEVER and t > state.horizon:
                raises, clears = _limits(rule, v)
                if bad or _settled(state, raises, clears):
                    if not bad:
                        state.value = v
                    state.last_time = t
                    state.lag = arrival[i] - t
                    i += 1
                    continue
        if read < 0:
            read = tables.first[row]
        while read < tables.first[row + 1]:
            place = tables.reads_rule[read]
            rule = rules[place]
            state = states[place]
            if tables.reads_slot[read] >= 0:
                return i, read, n
            if with_gaps and _in_gap(gaps, gap_at, range_at, read, place, t):
                read += 1
                continue
            if t <= state.horizon or n + _MOST > len(out) or _full(rule, windows):
                return i, read, n
            read += 1
            state.lag = arrival[i] - t
            while state.due <= t:
                n = _fire(rule, state, NONE, out, n)
            state.last_time = t
            kind = rule.kind
            if bad and kind != _STALE:
                continue
            state.value = v
            if kind <= _LAST_PLAIN:
                raises, clears = _limits(rule, v)
            elif kind == _STALE:
                state.holds = 0
                raises, clears = False, True
            elif kind == _FLATLINE:
                if state.anchor_time == NONE or abs(v - state.anchor) > rule.tolerance:
                    state.anchor_time = t
                    state.anchor = v
                    state.holds = 0
                raises = state.holds == 1
                clears = not raises
            else:
                window = windows[rule.region]
                while window.head < window.tail and pool[window.head].time < t - rule.window:
                    window.head += 1
                pool[window.tail].time = t
                pool[window.tail].value = v
                window.tail += 1
                span = t - pool[window.head].time
                if 2 * span < rule.window:
                    continue
                rate = (v - pool[window.head].value) / (span / rule.per)
                if kind == _RATE_HIGH:
                    raises = rate >= rule.limit
                    clears = rate < rule.clear
                else:
                    raises = rate <= rule.limit
                    clears = rate > rule.clear
            if _settled(state, raises, clears):
                state.due = _hold_due(rule, state)
                continue
            n = _put(rule, state, t, raises, clears, NONE, out, n)
            state.due = min(_delay_due(rule, state), _hold_due(rule, state))
        read = -1
        i += 1
    return i, read, n


@compiled
def run_rows(
    tables: Tables,
    memory: Memory,
    gaps: Gaps,
    with_gaps: bool,
    ordered: bool,
    rows: Int32,
    sensor: Int32,
    time: Int64,
    value: Float64,
    quality: UInt8,
    arrival: Int64,
) -> tuple[Table, Table, Table, Table]:
    """Takes readings to the rules of their sensors, in order; changes the memory's tables.

    Takes: `rows` of the sensors in the program, -1 for a sensor that no rule reads.
    Gives: the transitions, what was left out, and the pools, which may have moved.
    """
    rules, states, slots = tables.rules, memory.rules, memory.slots
    windows, pool = memory.windows, memory.window_pool
    pending, waiting = memory.pending, memory.pending_pool
    out = np.empty(64, TRANSITION)
    left = np.empty(16, LEFT_OUT)
    stack = np.empty(STACK)
    n = m = 0
    gap_at = gaps.first.copy()
    range_at = np.empty(len(tables.reads_rule), np.int32)
    if with_gaps:
        for read in range(len(range_at)):
            range_at[read] = gaps.range_first[tables.reads_rule[read]]
    i, read = 0, -1
    while True:
        i, read, n = _alone(
            tables, states, windows, pool, gaps, with_gaps, gap_at, range_at,
            rows, time, value, quality, arrival, out, n, i, read,
        )  # fmt: skip
        if i == len(rows):
            break
        if n + _MOST > len(out):
            out = _more(out, n)
            continue
        t = time[i]
        place = tables.reads_rule[read]
        rule = rules[place]
        state = states[place]
        at = tables.reads_slot[read]
        if at < 0 and t > state.horizon:
            pool = _roomy(windows, rule.region, pool)
            continue
        read += 1
        if with_gaps and _in_gap(gaps, gap_at, range_at, read - 1, place, t):
            continue
        state.lag = arrival[i] - t
        if t <= state.horizon:
            left = _leave_out(rule, sensor[i], t, left, m)
            m += 1
        elif at >= 0:
            waiting = _queue(pending, rule.region, waiting, at, t, value[i], quality[i] == _BAD)
        if at < 0:
            continue
        slots[at].received = t
        region = pending[rule.region]
        while region.head < region.tail:
            instant = waiting[region.head].time
            if ordered:
                if instant >= t:
                    break
            elif not _complete(rule, slots, tables.interval, instant):
                break
            if n + _MOST > len(out):
                out = _more(out, n)
            n = _judge(rule, state, tables, slots, pending, waiting, stack, out, n)
    return out[:n], left[:m], pool, waiting


@compiled
def is_due(memory: Memory, tables: Tables, now: int, grace: int) -> bool:
    """Tells whether the clock could do something: a timer's or a waiting instant's time has come."""
    for place in range(len(memory.rules)):
        state = memory.rules[place]
        if state.lag == NONE:
            continue
        limit = now - state.lag - grace
        if state.due <= limit:
            return True
        rule = tables.rules[place]
        if rule.slot < rule.slot_end:
            region = memory.pending[rule.region]
            if region.head < region.tail and memory.pending_pool[region.head].time <= limit:
                return True
    return False


@compiled
def run_clock(tables: Tables, memory: Memory, now: int, grace: int, final: bool) -> tuple[Table, int]:
    """Judges what waits and fires what is due: by each rule's own clock less `grace`, or, where `final`, up to `now`.

    Gives: the transitions; how many rules have changed.
    """
    out = np.empty(64, TRANSITION)
    stack = np.empty(STACK)
    scratch = np.empty(1, memory.rules.dtype)
    n = changed = 0
    for place in range(len(tables.rules)):
        rule = tables.rules[place]
        state = memory.rules[place]
        if final:
            limit = now
        elif state.lag == NONE:
            continue
        else:
            limit = now - state.lag - grace
        touched = False
        if rule.slot < rule.slot_end:
            region = memory.pending[rule.region]
            while region.head < region.tail and memory.pending_pool[region.head].time <= limit:
                touched = True
                if n + _MOST > len(out):
                    out = _more(out, n)
                n = _judge(rule, state, tables, memory.slots, memory.pending, memory.pending_pool, stack, out, n)
        if state.due <= limit:
            if n + _MOST > len(out):
                out = _more(out, n)
            # Tried on the side: what brings no transition has not happened yet, since a reading that was held up on
            # its way may still come before it.
            scratch[0] = memory.rules[place]
            trial = scratch[0]
            clock_from = NONE if final else state.last_time
            while trial.due <= limit:
                due = trial.due
                before = n
                n = _fire(rule, trial, clock_from, out, n)
                if n > before:
                    touched = True
                    trial.horizon = max(trial.horizon, due)
                    memory.rules[place] = trial
        if touched:
            changed += 1
    return out[:n], changed


@compiled
def set_timers(tables: Tables, states: Table) -> None:
    """Works out when each rule's next timer is due."""
    for place in range(len(states)):
        rule = tables.rules[place]
        state = states[place]
        state.due = min(_delay_due(rule, state), _hold_due(rule, state))
