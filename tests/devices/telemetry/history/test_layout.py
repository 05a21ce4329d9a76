"""The plan for one sensor's chunks: overlaps go, levels never rise towards now."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.telemetry.codec import Columns
from devices.telemetry.history.layout import FAN, LEVELS, MOST_READINGS, MOST_SPAN, Piece, cut, level_of, plan

PIECES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 400), st.integers(0, 30), st.integers(1, MOST_READINGS)), max_size=40
).map(lambda rows: [Piece(n, level, start, start + span, count) for n, (level, start, span, count) in enumerate(rows)])


@settings(max_examples=50)
@given(PIECES)
def test_after_the_plan_chunks_stand_apart_and_levels_fall_towards_now(pieces):
    groups = plan(pieces)
    taken = {piece.key for group in groups for piece in group.pieces}
    assert len(taken) == sum(len(group.pieces) for group in groups)
    left = [(piece.start, piece.end, piece.level) for piece in pieces if piece.key not in taken]
    after = sorted(left + [(group.start, group.end, group.level) for group in groups])
    assert all(end < start for (_, end, _), (start, _, _) in pairwise(after))
    levels = [level for _, _, level in after]
    assert levels == sorted(levels, reverse=True)
    assert all(levels.count(level) < FAN for level in range(LEVELS - 1))


@settings(max_examples=50)
@given(PIECES)
def test_a_plan_done_leaves_nothing_to_do(pieces):
    groups = plan(pieces)
    taken = {piece.key for group in groups for piece in group.pieces}
    after = [piece for piece in pieces if piece.key not in taken]
    after += [Piece(-n, group.level, group.start, group.end, group.count) for n, group in enumerate(groups, 1)]
    assert plan(after) == []


def columns(times: list[int], late: list[bool] | None = None) -> Columns:
    n = len(times)
    return Columns(
        np.array(times, np.int64), np.zeros(n), np.zeros(n, np.uint8), np.array(late if late else [False] * n, np.bool_)
    )


def test_chunk_holds_no_more_than_it_may_and_no_longer_than_it_may():
    many = list(cut(columns(list(range(MOST_READINGS * 2 + 1)))))
    assert [len(part) for part in many] == [87_382, 87_382, 87_381]
    long = list(cut(columns([0, MOST_SPAN, MOST_SPAN + 1, 3 * MOST_SPAN])))
    assert [part.time.tolist() for part in long] == [[0, MOST_SPAN], [MOST_SPAN + 1], [3 * MOST_SPAN]]


def test_last_weeks_late_readings_are_cut_from_todays():
    week = 7 * 86_400_000_000
    some = columns([0, 1, week, week + 1], [True, True, False, False])
    assert [len(part) for part in cut(some, stragglers_apart=True)] == [2, 2]
    assert [len(part) for part in cut(some)] == [4]
    assert [len(part) for part in cut(columns([0, 1, week, week + 1]), stragglers_apart=True)] == [4]


@pytest.mark.parametrize(("count", "level"), [(1, 0), (4095, 0), (4096, 1), (65_536, 2), (131_072, 2)])
def test_level_follows_from_the_number_of_readings(count, level):
    assert level_of(count) == level
