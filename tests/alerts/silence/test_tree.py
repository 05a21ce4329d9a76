"""Which part of the plant failed, judged from what each sensor last said."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from alerts.silence.tree import LEAST, NONE, SECOND, Failed, Heard, Plant, Point, Verdict, judge

SITE, LINE_A, LINE_B, PRESS, PUMP, FAN = 1, 2, 3, 4, 5, 6
PARENTS = {SITE: None, LINE_A: SITE, LINE_B: SITE, PRESS: LINE_A, PUMP: LINE_A, FAN: LINE_B}
# Two sensors a machine, each every second, numbered by machine: 41 and 42 are the press's.
EVERY_SECOND = {machine * 10 + number: (machine, 1.0) for machine in (PRESS, PUMP, FAN) for number in (1, 2)}


def plant(sensors: dict[int, tuple[int, float]] | None = None, **more: dict[int, object]) -> Plant:
    """Gives the plant; sensors as id → (asset, seconds between readings; 0: when it likes)."""
    points = [
        Point(sensor, asset, round(every * SECOND), asset)
        for sensor, (asset, every) in (sensors or EVERY_SECOND).items()
    ]
    return Plant(PARENTS, points, more.get("scopes", {SITE: ("edge-1",)}), more.get("silent_after"))  # type: ignore[arg-type]


def heard(
    of: Plant,
    now: float,
    last: dict[int, float],
    *,
    excused: float | None = None,
    called: Iterable[int] = (),
    covered: Iterable[int] = (),
    behind: Iterable[int] = (),
) -> Heard:
    """Gives what was heard: each sensor's last word in seconds; the shards in `behind` were last read at second 0."""
    size = len(of.sensor)
    arrival = np.array([round(last[s] * SECOND) if s in last else NONE for s in of.sensor.tolist()], np.int64)
    clock = np.where(np.isin(of.shard, list(behind)), 0, round(now * SECOND)).astype(np.int64)
    ids = of.sensor
    return Heard(
        arrival,
        clock,
        np.full(size, NONE if excused is None else round(excused * SECOND), np.int64),
        np.isin(ids, list(called)),
        np.isin(ids, list(covered)),
        round(now * SECOND),
    )


def parts(verdict: Verdict) -> list[tuple[int, int | None]]:
    return [(failed.asset, failed.sensor) for failed in verdict.failed]


ALL_AT_ZERO = dict.fromkeys(EVERY_SECOND, 0.0)


def test_nothing_is_said_of_a_plant_that_speaks():
    assert judge(plant(), heard(plant(), 1.0, ALL_AT_ZERO)) == Verdict()


def test_source_is_named_when_everything_below_its_scope_is_silent():
    found = judge(plant(), heard(plant(), 10.5, ALL_AT_ZERO))
    assert found.failed == (Failed(SITE, None, 0),)


def test_first_sensor_to_be_silent_finds_the_source_though_the_others_are_only_late():
    last = {sensor: 0.1 * place for place, sensor in enumerate(EVERY_SECOND)}
    assert parts(judge(plant(), heard(plant(), 10.05, last))) == [(SITE, None)]


def test_reading_lost_just_before_the_cut_does_not_make_its_sensor_a_case_of_its_own():
    last = {**dict.fromkeys(EVERY_SECOND, 1.0), 41: -0.4}
    assert parts(judge(plant(), heard(plant(), 9.7, last))) == [(SITE, None)]


def test_machine_is_named_while_its_neighbours_speak():
    last = {sensor: 0.0 if machine == PRESS else 10.4 for sensor, (machine, _) in EVERY_SECOND.items()}
    assert parts(judge(plant(), heard(plant(), 10.5, last))) == [(PRESS, None)]


def test_sensor_is_named_while_its_machine_speaks():
    last = {sensor: 0.0 if sensor == 41 else 10.4 for sensor in EVERY_SECOND}
    assert parts(judge(plant(), heard(plant(), 10.5, last))) == [(PRESS, 41)]


def test_gateway_below_a_source_is_named_alone():
    of = plant(scopes={SITE: ("edge-1",), LINE_A: ("gateway-a",)})
    last = {sensor: 10.4 if machine == FAN else 0.0 for sensor, (machine, _) in EVERY_SECOND.items()}
    assert parts(judge(of, heard(of, 10.5, last))) == [(LINE_A, None)]


def test_scope_is_named_before_what_stands_above_it_with_the_same_sensors():
    of = plant({11: (PRESS, 1.0), 12: (PUMP, 1.0)}, scopes={LINE_A: ("gateway-a",)})
    assert parts(judge(of, heard(of, 10.5, {11: 0.0, 12: 0.0}))) == [(LINE_A, None)]


def test_lowest_part_is_named_where_no_source_has_the_scope():
    of = plant({11: (PRESS, 1.0), 12: (PRESS, 1.0)}, scopes={})
    assert parts(judge(of, heard(of, 10.5, {11: 0.0, 12: 0.0}))) == [(PRESS, None)]


def test_sensor_that_speaks_when_it_likes_is_never_silent_but_proves_that_its_gateway_lives():
    of = plant({41: (PRESS, 1.0), 42: (PRESS, 0.0)}, scopes={PRESS: ("edge-1",)})
    assert parts(judge(of, heard(of, 3600, {41: 3599.9, 42: 0.0}))) == []
    assert parts(judge(of, heard(of, 10.5, {41: 0.0, 42: 6.0}))) == [(PRESS, 41)]
    assert parts(judge(of, heard(of, 10.5, {41: 0.0, 42: -60.0}))) == [(PRESS, None)]


def test_sensor_that_never_spoke_is_nobodys_silence():
    assert judge(plant(), heard(plant(), 1000, {sensor: 999.5 for sensor in EVERY_SECOND if sensor != 41})) == Verdict()


SLOW = {41: (PRESS, 1.0), 42: (PRESS, 60.0), 51: (PUMP, 60.0)}


def test_fast_sensor_waits_for_slower_neighbours_as_long_again_then_stands_for_itself():
    of = plant(SLOW)
    last = {41: 0.0, 42: -5.0, 51: -5.0}
    waiting = judge(of, heard(of, 10.5, last))
    assert (waiting.failed, waiting.undecided) == ((), {41})
    assert parts(judge(of, heard(of, 20.5, last))) == [(PRESS, 41)]


def test_slower_neighbour_that_speaks_meanwhile_decides_at_once():
    of = plant(SLOW)
    assert parts(judge(of, heard(of, 10.5, {41: 0.0, 42: 5.0, 51: -5.0}))) == [(PRESS, 41)]


def test_two_branches_that_fall_silent_together_outweigh_one_that_has_time_left():
    of = plant({41: (PRESS, 1.0), 51: (PUMP, 1.0), 61: (FAN, 60.0)}, scopes={SITE: ("edge-1",)})
    # Below the site there are two lines, and only one of them is lost: the other may yet speak.
    assert parts(judge(of, heard(of, 21.0, {41: 0.0, 51: 0.0, 61: -5.0}))) == [(LINE_A, None)]


def test_one_that_was_lost_long_before_says_nothing_of_those_that_are_lost_now():
    last = {**dict.fromkeys(EVERY_SECOND, 1000.0), 41: 0.0}
    covered = [41]
    assert parts(judge(plant(), heard(plant(), 1000.5, last, covered=covered))) == []
    assert parts(judge(plant(), heard(plant(), 1010.5, last, covered=covered))) == [(SITE, None)]


def test_what_lies_below_a_part_that_failed_is_not_told_again():
    assert judge(plant(), heard(plant(), 3600, ALL_AT_ZERO, covered=EVERY_SECOND)) == Verdict()


def test_shard_that_was_not_read_holds_the_verdict_on_everything_above_it():
    found = judge(plant(), heard(plant(), 10.5, ALL_AT_ZERO, behind=[FAN]))
    assert (found.failed, found.undecided) == ((), {41, 42, 51, 52})


def test_shard_that_was_not_read_is_not_silent_itself():
    last = {sensor: 0.0 if machine == FAN else 999.9 for sensor, (machine, _) in EVERY_SECOND.items()}
    assert judge(plant(), heard(plant(), 1000, last, behind=[FAN])) == Verdict()


def test_silence_counts_from_when_andon_listened_again():
    assert judge(plant(), heard(plant(), 600, ALL_AT_ZERO, excused=595)) == Verdict()
    assert parts(judge(plant(), heard(plant(), 606, ALL_AT_ZERO, excused=595))) == [(SITE, None)]


def test_rule_that_calls_a_sensor_silent_sooner_gets_the_verdict_of_that_moment():
    last = {sensor: 0.1 * place for place, sensor in enumerate(EVERY_SECOND)}
    assert judge(plant(), heard(plant(), 4.0, last)) == Verdict()
    assert parts(judge(plant(), heard(plant(), 4.0, last, called=[41]))) == [(SITE, None)]
    assert parts(judge(plant(), heard(plant(), 4.0, {**last, 42: 3.9}, called=[41]))) == [(PRESS, 41)]


def test_source_that_sends_in_parcels_says_how_long_it_may_be_silent():
    of = plant(silent_after={SITE: 180 * SECOND})
    assert judge(of, heard(of, 179, ALL_AT_ZERO)) == Verdict()
    assert parts(judge(of, heard(of, 181, ALL_AT_ZERO))) == [(SITE, None)]


def test_source_may_ask_for_less_than_ten_seconds():
    of = plant(silent_after={SITE: 4 * SECOND})
    assert LEAST > 4 * SECOND
    assert parts(judge(of, heard(of, 4.5, ALL_AT_ZERO))) == [(SITE, None)]


@pytest.mark.parametrize("phases", [0.0, 0.5, 0.99])
def test_five_hundred_sensors_of_mixed_pace_make_one_verdict_at_every_moment(phases: float):
    """From the first that is silent to the last, nothing but the source is ever named."""
    parents: dict[int, int | None] = {1: None, **{100 + line: 1 for line in range(5)}}
    sensors: list[Point] = []
    last: list[float] = []
    for machine in range(50):
        parents[1000 + machine] = 100 + machine % 5
        for number in range(10):
            every = (1.0, 2.0, 5.0, 10.0)[number % 4]
            sensors.append(Point(len(sensors), 1000 + machine, round(every * SECOND), machine % 16))
            last.append(-every * ((number * 0.37 + machine * 0.11 + phases) % 1))
    of = Plant(parents, sensors, {1: ("edge-1",)})
    lasts = {point.id: last[point.id] for point in sensors}
    found = [parts(judge(of, heard(of, moment / 4, lasts))) for moment in range(160)]
    assert found[-1] == [(1, None)]
    assert all(one in ([], [(1, None)]) for one in found)
    first = next(moment / 4 for moment, one in enumerate(found) if one)
    assert first <= 10.25
