"""The demo's stories under the demo's rules: silence without a fault, the cause before what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from alerts.models import Priority
from plant.demo.faults import CYCLE, STORIES, Effect, Story
from plant.demo.layout import read
from plant.demo.plant import DemoPlant
from tests.plant.demo_judge import Judge, Judged, rulebook

LAYOUT = read()
ORIGIN = int(datetime(2026, 3, 2, 8, 0, tzinfo=UTC).timestamp())
PAST = 600  # seconds before the first story


def judged(*, stories: tuple[Story, ...], seconds: int, step: int = 1, origin: int = ORIGIN) -> Judge:
    plant = DemoPlant(origin - PAST, float(origin), layout=LAYOUT, stories=stories)
    # With steps longer than the intervals nothing would be fresh enough for a rule over several sensors.
    judge = Judge(rulebook(intervals=step == 1), LAYOUT.tags)
    return judge.watch(plant.run(origin + seconds, step), LAYOUT.source)


@pytest.fixture(scope="module")
def cycle() -> Judge:
    """Gives all stories once, second by second, as a first start shows them."""
    return judged(stories=STORIES, seconds=int(CYCLE))


def first(judge: Judge, asset: str, rule: str) -> float:
    """Gives the second after the start at which a rule became active."""
    return next(row.time for row in judge.raised() if (row.asset, row.rule) == (asset, rule)) - ORIGIN


def test_eight_hours_without_a_fault_raise_nothing() -> None:
    judge = judged(stories=(), seconds=8 * 3600, step=10, origin=ORIGIN - 3 * 3600)
    assert judge.raised() == []


def test_the_past_that_is_filled_in_holds_no_alarm(cycle: Judge) -> None:
    assert min(row.time for row in cycle.raised()) > ORIGIN


def test_within_two_minutes_somebody_has_something_to_acknowledge(cycle: Judge) -> None:
    assert [row for row in cycle.presented if row.time < ORIGIN + 60 and row.ack_required]


ORDERS = {
    "bearing wear": [
        ("tr-pump-04", "Bearing vibration high"),
        ("tr-pump-04", "Bearing vibration high-high"),
        ("tr-pump-04", "Bearing temperature high"),
    ],
    "cooling water loss, air": [
        ("cw-pump-06", "Pump fault"),
        ("cw-tank-1", "Cooling water supply pressure low"),
        ("ca-comp-03", "Discharge temperature high"),
        ("ca-comp-03", "Discharge temperature high-high"),
    ],
    "cooling water loss, presses": [
        ("cw-tank-1", "Cooling water supply pressure low"),
        ("press-b1", "Hydraulic oil temperature high"),
        ("press-b1", "Hydraulic oil temperature high-high"),
    ],
    "jammed conveyor": [
        ("conv-b2", "Motor current high"),
        ("conv-b2", "Winding temperature high"),
        ("conv-b2", "Winding temperature high-high"),
    ],
    "leak": [("pl-section-09", "Flow imbalance high"), ("pl-section-10", "Outlet pressure rate low")],
    "welded contactor": [
        ("h1-oven-3", "Zone 2 temperature deviation high"),
        ("h1-oven-3", "Zone temperature high-high"),
        ("h1-oven-3", "Exhaust temperature high"),
    ],
    "overfill": [("st-tank-05", "Level high"), ("st-tank-05", "Level high-high")],
    "hanging transmitter": [("h1-oven-2", "Zone 3 temperature signal flat")],
    "gateway loss": [("gw-tanks", "Gateway not responding")],
    "capacitor bank off": [("feeder-03", "Power factor low")],
    "clogged inlet filter": [("ca-comp-04", "Inlet filter pressure drop high")],
    "filter circuit off": [("feeder-08", "Voltage distortion THD high")],
    "oil loss": [("ca-comp-02", "Oil pressure low")],
    "jammed press": [("press-c3", "Press fault")],
}


@pytest.mark.parametrize("story", ORDERS)
def test_a_story_raises_its_cause_first(cycle: Judge, story: str) -> None:
    times = [first(cycle, asset, rule) for asset, rule in ORDERS[story]]
    assert times == sorted(times)
    assert len(set(times)) == len(times)


@pytest.mark.parametrize("story", ORDERS)
def test_the_operator_sees_the_cause_of_a_story(cycle: Judge, story: str) -> None:
    assert ORDERS[story][0] in {(row.asset, row.rule) for row in cycle.presented}


def test_what_follows_from_an_alarm_that_stands_is_not_presented_beside_it(cycle: Judge) -> None:
    silent = [(row.asset, row.rule) for row in cycle.raised() if row not in cycle.presented]
    assert silent == [("press-b1", "Hydraulic oil temperature high")]


def test_every_story_is_told() -> None:
    assert {story.name for story in STORIES} == {name.partition(",")[0] for name in ORDERS}


def test_no_alarm_comes_that_no_story_explains(cycle: Judge) -> None:
    told = {pair for order in ORDERS.values() for pair in order}
    side = {("tr-pump-04", "Bearing temperature rate high"), ("pl-section-09", "Outlet pressure rate low")}
    assert {(row.asset, row.rule) for row in cycle.raised()} - told <= side


def test_everything_heals(cycle: Judge) -> None:
    lasting = {"feeder-08", "st-tank-05"}  # these stories go on into the next cycle
    assert {asset for asset, _ in standing(cycle.transitions)} <= lasting


def standing(rows: list[Judged]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for row in rows:
        (found.add if row.active else found.discard)((row.asset, row.rule))
    return found


def counts(rows: list[Judged]) -> Iterator[tuple[float, int, int]]:
    """Gives time, active alarms and open ones (those not acknowledged stay open; nobody acknowledges here)."""
    active: set[tuple[str, str]] = set()
    open_: set[tuple[str, str]] = set()
    for row in sorted(rows, key=lambda row: row.time):
        key = (row.asset, row.rule)
        if row.active:
            active.add(key)
            open_.add(key)
        else:
            active.discard(key)
            if not row.ack_required:
                open_.discard(key)
        yield row.time, len(active), len(open_)


def test_the_plant_stays_mostly_grey(cycle: Judge) -> None:
    course = list(counts(cycle.transitions))
    assert max(active for _, active, _ in course) <= 10
    assert max(waiting for _, _, waiting in course) <= 16


def test_ten_minutes_never_bring_a_flood(cycle: Judge) -> None:
    times = [row.time for row in cycle.raised()]
    assert max(sum(start <= time < start + 600 for time in times) for start in times) <= 10


def test_critical_alarms_are_few(cycle: Judge) -> None:
    raised = cycle.raised()
    assert sum(row.priority is Priority.CRITICAL for row in raised) <= len(raised) / 5


def test_an_effect_grows_stays_and_goes() -> None:
    effect = Effect("pump", "bearing", rise=10, hold=20, fall=5, after=100)
    assert [effect.severity(second) for second in (99, 105, 110, 129, 132.5, 135)] == [0, 0.5, 1, 1, 0.5, 0]


def test_a_later_cycle_strikes_another_machine_at_another_second() -> None:
    plant = DemoPlant(ORIGIN, float(ORIGIN), layout=LAYOUT)
    story = next(story for story in STORIES if story.name == "leak")
    starts = [plant.director.start_of(story, number) for number in range(3)]
    assert starts[1] - starts[0] != starts[2] - starts[1]
    assert len({plant.director._choose(story, number, lambda code: True) for number in range(3)}) == 3
