"""What stands: counted by subtree, written as JSON, the most important first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import queries
from alerts.models import Alarm, State
from devices.models import Asset
from tests import factories

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
Write = Callable[..., Alarm]


@pytest.fixture
def machines(db: None) -> list[Asset]:
    made = factories.plant(lines=2, machines=2)
    for machine in made:
        factories.sensor(machine)
    return made


@pytest.fixture
def write() -> Write:
    def make(asset: Asset, minutes: float = 1.0, **fields: Any) -> Alarm:
        values: dict[str, Any] = {
            "asset": asset, "rule_name": "Temperature high", "tag": f"{asset.code}/temp", "asset_code": asset.code,
            "priority": 2, "state": State.UNACKED, "raised": NOW - timedelta(minutes=minutes), "unit": "degC",
            "message": "Temperature high", **fields,
        }  # fmt: skip
        return Alarm.objects.create(**values)

    return make


def test_an_alarm_is_written_as_outsiders_rely_on(machines: list[Asset], write: Write) -> None:
    operator = factories.operator()
    alarm = write(machines[0], value=91.5, limit=90.0, state=State.ACKED, acked=NOW, acked_by=operator)
    assert queries.as_json(queries.open_alarms().get()) == {
        "id": alarm.pk, "rule": "Temperature high", "sensor": "press-1-1/temp", "asset": "press-1-1", "priority": 2,
        "state": "C", "state_name": "acknowledged", "suppressed": [], "raised": "2026-03-01T05:59:00.000000Z",
        "cleared": None, "closed": None, "acked": "2026-03-01T06:00:00.000000Z", "acked_by": "operator",
        "value": 91.5, "limit": 90.0, "unit": "degC", "message": "Temperature high", "shelved_until": None, "class": "",
        "position": "", "group": "", "first_out": False, "silenced": None, "silent": None, "per": None,
        "decimals": None, "value_label": None, "limit_label": None, "limit_decimals": 1, "limit_unit": None,
    }  # fmt: skip


def test_an_alarm_says_how_its_sensor_writes_figures(machines: list[Asset], write: Write) -> None:
    fine = factories.sensor(machines[0], "gap", range_low=0.0, range_high=10.0)
    state = factories.sensor(machines[0], "state", range_low=None, range_high=None, labels={"3": "fault"})
    write(machines[0], sensor=fine, value=9.5, limit=9.0)
    write(machines[1], sensor=state, value=3.0, limit=2.0)
    written = {row["asset"]: row for row in map(queries.as_json, queries.open_alarms())}
    first, second = written["press-1-1"], written["press-1-2"]
    assert (first["decimals"], first["value_label"], first["limit_label"]) == (2, None, None)
    assert (second["value_label"], second["limit_label"]) == ("fault", "2")  # as a page writes what has no word


def test_what_is_unacknowledged_comes_first_then_priority_then_the_newest(machines: list[Asset], write: Write) -> None:
    acked = write(machines[0], priority=1, state=State.ACKED)
    old = write(machines[0], minutes=9)
    new = write(machines[1], minutes=2)
    critical = write(machines[1], minutes=99, priority=1, state=State.RETURNED)
    write(machines[1], closed=NOW)
    assert list(queries.open_alarms()) == [critical, new, old, acked]


def test_the_most_important_is_the_oldest_of_the_highest_priority_that_waits(
    machines: list[Asset], write: Write
) -> None:
    write(machines[0], minutes=60)
    oldest = write(machines[0], minutes=30, priority=1)
    write(machines[1], minutes=3, priority=1)
    write(machines[1], minutes=90, priority=1, state=State.ACKED)
    write(machines[1], minutes=90, priority=1, suppressed=["shelved"])
    assert queries.most_important() == oldest


def test_nothing_waits(db: None) -> None:
    assert queries.most_important() is None


def test_alarms_are_counted_for_all_that_stands_above_them(
    machines: list[Asset], write: Write, django_assert_num_queries: Any
) -> None:
    write(machines[0], priority=1)
    write(machines[1], priority=3, state=State.ACKED)
    write(machines[2], priority=3, state=State.RETURNED)
    write(machines[2], priority=1, suppressed=["by_design"])
    parents = dict(Asset.objects.values_list("pk", "parent_id"))
    with django_assert_num_queries(1):
        found = queries.tallies(parents)
    hall = Asset.objects.get(code="hall")
    line = Asset.objects.get(code="line-1")
    assert (found[None].total, found[None].total_unacked, found[None].suppressed) == (3, 2, 1)
    assert (found[hall.pk].total, found[line.pk].total, found[machines[2].pk].total) == (3, 2, 1)
    assert (found[hall.pk].worst, found[machines[2].pk].worst) == (1, 3)
    assert found[machines[2].pk].look(3) == "returned"
    assert machines[3].pk not in found


def test_alarms_of_an_asset_that_is_gone_count_for_the_plant(machines: list[Asset], write: Write) -> None:
    alarm = write(machines[0])
    Alarm.objects.filter(pk=alarm.pk).update(asset=None)
    assert queries.tallies({})[None].total == 1


def test_raises_are_counted_in_slots_the_newest_last(machines: list[Asset], write: Write) -> None:
    for minutes in (0, 9.9, 10, 25, 239.9, 240, 600):
        write(machines[0], minutes=minutes)
    counts = queries.raised_per_slot(NOW)
    assert (len(counts), counts[-1], counts[-2], counts[-3], counts[0], sum(counts)) == (24, 2, 1, 1, 1, 5)


def test_many_short_slots_count_what_few_long_ones_do(machines: list[Asset], write: Write) -> None:
    for minutes in (0, 9.9, 10, 25, 239.9, 240, 600):
        write(machines[0], minutes=minutes)
    short = queries.raised_per_slot(NOW, slots=240, slot=timedelta(minutes=1))
    assert [sum(short[at : at + 10]) for at in range(0, 240, 10)] == queries.raised_per_slot(NOW)
