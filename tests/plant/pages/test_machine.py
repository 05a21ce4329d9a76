"""The machine's page: its sensors, trends, alarms and why they fired."""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts import journal
from alerts.models import Alarm, JournalEntry, State
from alerts.services import comment_asset
from devices import services
from devices.models import Asset, Sensor
from plant.machines import Kind
from plant.pages.machine import MOST_SENSORS, Machine
from plant.pages.tree import tree
from tests import factories
from tests.devices.telemetry.history.keeping import append

BUDGET = 26
ADDRESS = "/a/hall/line-1/press-1-1/"

RaiseAlarm = Callable[..., Alarm]


@pytest.fixture
def press(browser: Client) -> Asset:
    """Gives a machine with a temperature sensor and two limits on it."""
    machine = factories.plant(machines=2)[0]
    factories.sensor(machine, normal_low=20.0, normal_high=70.0)
    factories.rule(machine)
    factories.rule(machine, "Temperature very high", limit=110.0, priority=1)
    return machine


def show(client: Any, sensor: Sensor, value: float, *, seconds_ago: float = 0.5, quality: int = 0) -> None:
    """Writes a newest reading as a drain does."""
    at = int((time.time() - seconds_ago) * 1e6)
    client.hset(f"andon:latest:{sensor.asset.shard}", str(sensor.pk), struct.pack("<qdB", at, value, quality))


def machine(asset: Asset) -> Machine:
    plant = tree()
    return Machine(plant, plant.nodes[asset.pk], timezone.now())


def page(browser: Client, address: str = ADDRESS) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_costs_the_same_number_of_queries_for_3_and_for_300_sensors(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    def queries() -> list[str]:
        page(browser)
        with CaptureQueriesContext(connection) as captured:
            page(browser)
        return [query["sql"][:160] for query in captured.captured_queries]

    factories.sensor(press, "oil"), factories.sensor(press, "flow")
    raise_alarm(press)
    few = queries()
    Sensor.objects.bulk_create(
        Sensor(asset=press, key=f"more-{number}", name=f"More {number}", interval=1.0) for number in range(297)
    )
    services.bump("plant")
    many = queries()
    assert len(machine(press).lines) == 300
    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= BUDGET, "\n".join(many)


def test_the_last_hour_is_drawn_with_and_without_a_scale(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    bare = factories.sensor(press, "bare", range_low=None, range_high=None)
    scaled = press.sensors.get(key="temp")
    end = int(time.time() * 1e6)
    rows = [
        (sensor.pk, end - ago * 1_000_000, value, 0, False)
        for sensor in (bare, scaled)
        for ago, value in ((300, 50.0), (200, 95.0), (100, 96.0))
    ]
    append(rows)
    raise_alarm(press, sensor=scaled, priority=1)
    text = page(browser)
    assert f'data-spark="{bare.tag}"' in text
    drawn = text[text.index(f'data-spark="{scaled.tag}"') :]
    assert 'class="hot" d="M' in drawn[: drawn.index("</svg>")]


def test_the_head_says_since_when_the_state_has_lasted_and_claims_no_beginning(
    press: Asset, browser: Client, clean_redis: Any
) -> None:
    labels = {"quantity": "state", "unit": "", "range_low": None, "range_high": None, "labels": {"1": "running"}}
    state = factories.sensor(press, "state", **labels)
    show(clean_redis, state, 1.0)
    now = int(time.time())

    def lasting() -> str:
        text = page(browser)
        return text[text.index('id="lasting">') + 13 :].split("</span>")[0]

    browser.cookies["language"] = "de"  # which writes numbers otherwise
    append([(state.pk, (now - ago) * 1_000_000, 1.0, 0, False) for ago in range(3600, -1, -60)])
    assert lasting() == f'seit mindestens <span class="num" data-since="{now - 3600}">'
    append([(state.pk, (now - ago) * 1_000_000, 1.0, 0, False) for ago in range(86_400, 3600, -60)])
    assert "data-since" not in lasting()


def test_of_many_sensors_the_first_are_read_and_the_rest_is_a_click_away(press: Asset, browser: Client) -> None:
    Sensor.objects.bulk_create(Sensor(asset=press, key=f"more-{n}", name=f"More {n}") for n in range(60))
    assert page(browser).count('<tr id="sensor-') == MOST_SENSORS
    assert "All 61 sensors" in page(browser)
    assert page(browser, f"{ADDRESS}?sensors=all").count('<tr id="sensor-') == 61


def test_why_it_fired_has_rule_value_limit_delay_and_since_when(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    rule = press.rules.get(name="Temperature high")
    frozen = {"kind": "rate_high", "limit": 5.0, "per": 60.0, "on_delay": 90.0}
    raise_alarm(press, rule=rule, limit=5.0, frozen=frozen, priority=1)
    text = page(browser)
    why = text[text.index('id="why"') : text.index("</section>", text.index('id="why"'))]
    assert f'<a class="link" href="/rules/{rule.pk}/">Temperature high</a>' in why
    # The value of a rate is the reading at which it was met, not the rate.
    assert "at 91.5 °C, limit 5.0\xa0/min" in why
    assert "rising by 5.0 °C\xa0/min or more for 90\xa0s" in why
    assert "1 min 30 s" in why
    assert 'data-since="' in why
    # The banner says it as well.
    assert "at 91.5" in text[text.index('id="banner"') : text.index("<main")]
    assert "limit 5.0\xa0/min" in text[text.index('id="banner"') : text.index("<main")]


def test_what_stands_beside_a_sensors_values_has_its_decimals(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    vibration = factories.sensor(press, "vib", name="Vibration", quantity="vibration", unit="mm/s", decimals=2)
    rule = factories.rule(press, "Vibration high", sensor_key="vib", limit=4.0)
    fine = factories.rule(press, "Vibration rising", sensor_key="vib", limit=4.125)
    alarm, now = raise_alarm(press, rule=rule, sensor=vibration, tag=vibration.tag, value=4.1), timezone.now()
    row = JournalEntry(time=now, event="raise", from_state="A", to_state="B", alarm=alarm, tag=alarm.tag, value=4.1)
    with transaction.atomic():
        journal.write([row], now)
    text = page(browser)
    assert f'href="/rules/{rule.pk}/">Vibration high</a><span class="muted">at or over 4.00 mm/s' in text
    assert f'href="/rules/{fine.pk}/">Vibration rising</a><span class="muted">at or over 4.125 mm/s' in text
    assert '<span class="muted">(4.10)</span>' in text


def test_rules_in_force_lead_to_their_pages(press: Asset, browser: Client) -> None:
    rule = press.rules.get(name="Temperature very high")
    assert f'href="/rules/{rule.pk}/">Temperature very high</a><span class="muted">at or over 110.0 °C' in page(browser)


def test_the_state_of_the_last_day_is_a_line_with_its_words(
    press: Asset, browser: Client, clean_redis: Any, raise_alarm: RaiseAlarm
) -> None:
    assert 'id="day"' not in page(browser)  # no sensor tells a state
    labels = {"0": "stopped", "1": "execute"}
    factories.sensor(press, "state", quantity="state", unit="", range_low=None, range_high=None, labels=labels)
    raise_alarm(press, minutes=60)
    raise_alarm(press, minutes=25 * 60, rule=None, state=State.NORMAL, closed=timezone.now())
    found = machine(press)
    assert [str(part.kind) for part in found.day.stretches] == ["offline"]
    assert len(found.day_marks) == 1
    assert "no data 24 h 00" in page(browser)


def test_the_page_costs_the_same_number_of_queries_in_a_plant_of_2_and_of_3000_machines(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    def queries() -> list[str]:
        page(browser)
        with CaptureQueriesContext(connection) as captured:
            page(browser)
        return [query["sql"][:160] for query in captured.captured_queries]

    raise_alarm(press)
    few = queries()
    line = Asset.objects.get(code="line-1")
    Asset.objects.bulk_create(
        Asset(code=f"more-{number}", name=f"More {number}", level="machine", parent=line) for number in range(2998)
    )
    others = list(Asset.objects.filter(code__startswith="more-")[:200])
    Sensor.objects.bulk_create(Sensor(asset=one, key="temp", name="Temperature", interval=1.0) for one in others)
    for one in others[:30]:
        raise_alarm(one, minutes=10)
    services.bump("plant")
    many = queries()
    assert len(many) == len(few), "\n".join(many)


def test_a_reading_is_drawn_with_its_quality(press: Asset, browser: Client, clean_redis: Any) -> None:
    names = ("fresh", "old", "bad", "none")
    fresh, old, bad, _none = (factories.sensor(press, key) for key in names)
    show(clean_redis, fresh, 61.26)
    show(clean_redis, old, 62.0, seconds_ago=60)
    show(clean_redis, bad, 63.0, quality=2)
    lines = {line.sensor.key: line.shown for line in machine(press).lines}
    assert lines["fresh"].text == "61.3"
    assert [lines[name].stale for name in names] == [False, True, False, False]
    assert [lines[name].text for name in ("bad", "none")] == ["–", "–"]
    assert 'class="val stale"' in page(browser)


def test_abnormal_sensors_come_first_and_are_in_the_trend(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    for key in ("a", "b", "c", "z"):
        factories.sensor(press, key)
    last = press.sensors.get(key="z")
    raise_alarm(press, sensor=last, tag=last.tag)
    found = machine(press)
    assert found.lines[0].sensor.key == "z"
    assert found.lanes[:2] == [last.tag, "press-1-1/temp"]  # then what has limits
    assert len(found.lanes) == 3


def test_a_trend_has_its_normal_band_and_its_limits_with_names(press: Asset, browser: Client) -> None:
    trend = machine(press).trends[0]
    assert trend["normal"] == (20.0, 70.0)
    limits = {(line["name"], line["value"], line["priority"]) for line in trend["limits"]}
    assert limits == {("Temperature high", 90.0, 1), ("Temperature very high", 110.0, 1)}
    assert trend["history"] == "/api/v1/sensors/press-1-1/temp/history"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(20.0, 70.0, "20.0 to 70.0"), (20.0, None, "from 20.0"), (None, 70.0, "up to 70.0"), (None, None, "")],
)
def test_a_normal_band_with_an_open_end_is_one(
    press: Asset, browser: Client, low: float | None, high: float | None, words: str
) -> None:
    press.sensors.filter(key="temp").update(normal_low=low, normal_high=high)
    found = machine(press)
    assert {line.sensor.key: line.normal for line in found.lines}["temp"] == words
    assert found.trends[0]["normal"] == (None if not words else (low, high))


def test_alarms_of_the_last_week_are_marked(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    new = raise_alarm(press, state=State.NORMAL, closed=timezone.now())
    raise_alarm(press, minutes=8 * 24 * 60, state=State.NORMAL, closed=timezone.now())
    assert [mark["id"] for mark in machine(press).marks] == [new.pk]


def test_the_worst_alarm_is_explained_by_what_came_before_it_on_the_line(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    neighbour = Asset.objects.get(code="press-1-2")
    first = raise_alarm(neighbour, minutes=20, message="Cooling water low", priority=2)
    raise_alarm(neighbour, minutes=60, message="Too long ago")
    raise_alarm(press, minutes=4, priority=3, message="Comes later")
    worst = raise_alarm(
        press, minutes=5, priority=1, message="Hot", frozen={"cause": "No water.", "action": "Open HV-1\nCall"}
    )
    top = machine(press).top
    assert top is not None
    assert (top["alarm"].pk, [alarm.pk for alarm, _ago in top["before"]], top["steps"]) == (
        worst.pk,
        [first.pk],
        ["Open HV-1", "Call"],
    )
    text = page(browser)
    assert "Cooling water low" in text and "No water." in text and "first alarm" in text


def test_a_machine_and_its_alarm_name_the_same_alarms_of_the_line_before_it(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    line = press.parent
    cell = services.create_asset(code="cell-1", name="Cell 1", level="unit", parent=line)
    Asset.objects.filter(pk=press.pk).update(parent=cell)
    services.bump("plant")
    raise_alarm(Asset.objects.get(code="press-1-2"), minutes=20, message="Cooling water low")
    worst = raise_alarm(press, minutes=5, priority=1, message="Hot")
    raise_alarm(press, rule=worst.rule, minutes=9, closed=timezone.now(), message="Hot before")
    top = machine(press).top
    assert top is not None
    assert [alarm.message for alarm, _ago in top["before"]] == ["Cooling water low"]
    detail = browser.get(f"/alarms/{worst.pk}/").context["before"]
    assert top["before"] == detail


def test_without_an_earlier_alarm_the_page_says_so_and_invents_nothing(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    assert "Why did this alarm fire?" not in page(browser)
    raise_alarm(press)
    text = page(browser)
    assert "No earlier alarm on the same line within 30 min." in text
    assert "Likely cause" not in text


def test_suppressed_alarms_are_hidden(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    raise_alarm(press, suppressed=["shelved"])
    found = machine(press)
    assert (found.alarms, found.top, found.tally.total) == ([], None, 0)
    assert "No open alarms" in page(browser)


def test_parts_of_the_machine_are_shown_with_it(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    part = services.create_asset(code="spindle", name="Spindle", level="module", parent=press)
    factories.sensor(part, "vib", quantity="vibration", unit="mm/s")
    raise_alarm(part, message="Vibration high")
    found = machine(press)
    assert "spindle/vib" in [line.sensor.tag for line in found.lines]
    assert found.codes == ["press-1-1", "spindle"]
    assert "Vibration high" in page(browser)


def test_the_state_is_the_one_that_the_script_will_judge(press: Asset, browser: Client, clean_redis: Any) -> None:
    labels = {"0": "stopped", "1": "execute"}
    state = factories.sensor(press, "state", quantity="state", unit="", range_low=None, range_high=None, labels=labels)
    assert machine(press).state.kind == Kind.OFFLINE
    show(clean_redis, state, 0)
    found = machine(press)
    assert (found.state.kind, found.state.word, found.rest) == (Kind.STOPPED, "stopped", True)
    assert found.judged_by["tag"] == state.tag
    assert found.judged_by["words"]["1"] == ("running", "execute")


def test_what_the_script_judges_by_is_json_where_no_sensor_tells_its_interval(browser: Client) -> None:
    """JSON knows no Infinity: a browser's parser refuses it, and the page's whole script with it."""
    factories.sensor(factories.plant(machines=1)[0], interval=None)
    said = re.search(r'<script id="judged-by"[^>]*>(.*?)</script>', page(browser))
    assert said
    found = json.loads(said[1], parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (found["stale"], found["offline"]) == (None, None)


def test_a_machine_without_sensors_says_what_to_do(browser: Client) -> None:
    factories.plant(machines=1)
    assert "No sensors" in page(browser)


def test_while_redis_is_away_the_page_is_there_without_values(
    press: Asset, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import redis

    def away(*_: Any) -> Any:
        raise redis.ConnectionError("away")

    monkeypatch.setattr("devices.telemetry.latest.read_shards", away)
    assert [line.shown.text for line in machine(press).lines] == ["–"]
    assert "Temperature high" in page(browser)


def test_the_range_stands_in_the_address(press: Asset, browser: Client) -> None:
    assert browser.get(f"{ADDRESS}?t=7d").context["span"] == 604800
    assert browser.get(f"{ADDRESS}?t=nonsense").context["span"] == browser.get(ADDRESS).context["span"] == 900


def test_the_fragment_is_the_story_alone(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    raise_alarm(press, message="Hot")
    part = page(browser, f"{ADDRESS}?fragment=1")
    assert 'id="why"' in part and 'id="events"' in part and "Hot" in part
    assert "<html" not in part and 'id="trends"' not in part


def test_who_may_only_look_sees_why(press: Asset, client: Client, raise_alarm: RaiseAlarm) -> None:
    raise_alarm(press)
    client.force_login(factories.viewer())
    assert 'aria-disabled="true" title="You can look. An administrator can let you acknowledge alarms."' in page(client)


def test_a_stranger_is_sent_to_the_door(press: Asset) -> None:
    answer = Client().get(ADDRESS)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in")


def test_alarms_that_wait_are_acknowledged_together(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    first = raise_alarm(press)
    assert "/alarms/ack?" not in page(browser)
    second = raise_alarm(press, rule=factories.rule(press, "Oil low"))
    raise_alarm(press, rule=factories.rule(press, "Oil high"), state=State.ACKED)
    text = page(browser)
    assert "Ack 2 alarms <kbd>A</kbd></a>" in text
    numbers = re.findall(r"alarm=(\d+)", re.findall(r'href="(/alarms/ack\?[^"]*)"', text)[0])
    assert sorted(map(int, numbers)) == sorted([first.pk, second.pk])


def test_the_story_goes_back_to_the_first_comment(press: Asset, browser: Client, raise_alarm: RaiseAlarm) -> None:
    olga = factories.operator("olga")
    for number in range(70):
        comment_asset(asset=press, user=olga, text=f"Note {number:02}.", now=timezone.now())
    seen, address = [], f"{ADDRESS}?t=8h&sensors=all"
    while address:
        answer = browser.get(address)
        seen.append([entry.reason for entry in answer.context["machine"].events])
        older = answer.context["older"]
        assert not older or ("t=8h" in older and "sensors=all" in older and older.endswith("#story"))
        address = f"{ADDRESS}{older}" if older else ""
    assert [len(part) for part in seen] == [30, 30, 10]
    assert [words for part in seen for words in part] == [f"Note {number:02}." for number in range(69, -1, -1)]
    assert answer.context["newest"] == "?t=8h&sensors=all#story"
    # What is read again while the page is open stays at the part that is shown.
    fragment = browser.get(f"{ADDRESS}?fragment=1&before={answer.context['machine'].events[0].pk + 1}")
    assert [entry.reason for entry in fragment.context["machine"].events] == seen[2]
    assert "fragment" not in fragment.context["newest"]
