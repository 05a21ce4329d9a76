"""The overview costs the same for a small and a large plant, and says what is so."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alerts.models import Alarm, State
from alerts.notify import auditor
from devices import services
from devices.models import Asset, Sensor
from devices.telemetry import stream
from devices.telemetry.stream import Lag
from plant import pulses as signs
from plant.machines import Kind
from plant.pages import pipeline
from plant.pages.overview import Board
from plant.pages.tree import tree
from plant.tasks import pulse
from tests import factories

BUDGET = 24

STATES = {"0": "stopped", "1": "execute", "2": "held", "3": "aborted"}


def show(client: Any, sensor: Sensor, value: float, *, seconds_ago: float = 0.5) -> None:
    """Writes a newest reading as a drain does."""
    at = int((time.time() - seconds_ago) * 1e6)
    client.hset(f"andon:latest:{sensor.asset.shard}", str(sensor.pk), struct.pack("<qdB", at, value, 0))


def board() -> Board:
    from django.utils import timezone

    return Board(tree(), timezone.now())


def cells(of: Board) -> dict[str, Any]:
    return {cell.code: cell for area in of.areas for line in area.lines for cell in line.cells}


def build(machines: int) -> list[Asset]:
    made = factories.plant(lines=3, machines=machines // 3)
    for machine in made:
        factories.sensor(machine)
        factories.sensor(machine, "state", quantity="state", unit="", range_low=None, range_high=None, labels=STATES)
    services.create_source(name="gateway", scope=Asset.objects.get(code="works"))
    return made


def queries_of(browser: Client) -> list[str]:
    """Gives the statements that the page costs once the tree is in memory."""
    assert browser.get("/").status_code == 200
    with CaptureQueriesContext(connection) as queries:
        browser.get("/")
    return [query["sql"][:160] for query in queries.captured_queries]


def test_the_page_costs_the_same_number_of_queries_for_3_and_for_3000_machines(
    browser: Client, raise_alarm: Callable[..., Alarm]
) -> None:
    few = build(3)
    factories.rule(few[0])
    raise_alarm(few[0])
    small = queries_of(browser)
    line = Asset.objects.get(code="line-1")
    # Straight into the tables: as many services would take the test's time.
    Asset.objects.bulk_create(
        Asset(code=f"more-{number}", name=f"More {number}", level="machine", parent=line) for number in range(2997)
    )
    many = list(Asset.objects.filter(code__startswith="more-"))
    Sensor.objects.bulk_create(Sensor(asset=machine, key="temp", name="Temperature", interval=1.0) for machine in many)
    for machine in many[:40]:
        raise_alarm(machine)
    services.bump("plant")
    large = queries_of(browser)
    assert len(large) == len(small), "\n".join(large)
    assert len(large) <= BUDGET, "\n".join(large)


def test_a_machine_is_drawn_as_its_state_sensor_says(browser: Client, clean_redis: Any) -> None:
    machines = build(6)
    for machine, value in zip(machines, (1, 2, 0, 3, 7, 1), strict=True):
        show(clean_redis, machine.sensors.get(key="state"), value)
    show(clean_redis, machines[5].sensors.get(key="state"), 1, seconds_ago=700)
    kinds = [cell.kind for cell in cells(board()).values()]
    assert kinds == [Kind.RUNNING, Kind.IDLE, Kind.STOPPED, Kind.FAULT, Kind.REPORTING, Kind.OFFLINE]


def test_a_machine_without_any_reading_is_offline_and_old_data_looks_old(browser: Client, clean_redis: Any) -> None:
    machines = build(3)
    show(clean_redis, machines[1].sensors.get(key="temp"), 60.0, seconds_ago=20)
    show(clean_redis, machines[2].sensors.get(key="temp"), 60.0)
    found = cells(board())
    assert [found[m.code].kind for m in machines] == [Kind.OFFLINE, Kind.REPORTING, Kind.REPORTING]
    assert [found[m.code].stale for m in machines] == [False, True, False]


def test_sensors_count_as_fresh_by_their_own_interval(browser: Client, clean_redis: Any) -> None:
    machine = build(3)[0]
    factories.sensor(machine, "hourly", interval=3600.0)
    factories.sensor(machine, "door", interval=None)
    for sensor in machine.sensors.all():
        show(clean_redis, sensor, 1.0, seconds_ago=60)
    fresh, old = board().freshness
    assert (fresh, old) == (2, 6)


def test_parts_of_a_machine_count_to_it(browser: Client, clean_redis: Any, raise_alarm: Callable[..., Alarm]) -> None:
    machine = build(3)[0]
    part = services.create_asset(code="spindle", name="Spindle", level="module", parent=machine)
    sensor = factories.sensor(part, "vib", quantity="vibration", unit="mm/s")
    factories.rule(part, "Vibration high", sensor_key="vib")
    show(clean_redis, sensor, 3.0)
    raise_alarm(part, priority=1)
    cell = cells(board())[machine.code]
    assert (cell.kind, cell.tally.worst, cell.parts) == (Kind.REPORTING, 1, ["spindle"])
    assert "spindle" not in cells(board())


def test_equipment_with_sensors_and_no_machine_is_drawn_as_one(browser: Client) -> None:
    site = services.create_asset(code="works", name="Works", level="site")
    line = services.create_asset(code="main", name="Steam main", level="line", parent=site)
    factories.sensor(line, "flow", quantity="flow", unit="m3/h")
    found = board()
    assert [area.node.code for area in found.areas] == ["works"]
    assert list(cells(found)) == ["main"]


def test_attention_goes_by_priority_then_to_what_nobody_acknowledged_then_to_the_oldest(
    browser: Client, raise_alarm: Callable[..., Alarm]
) -> None:
    machines = build(6)
    wanted: list[tuple[Asset, dict[str, Any], int]] = [
        (machines[0], {"priority": 2, "state": State.ACKED, "minutes": 90}, 3),
        (machines[1], {"priority": 1, "state": State.ACKED, "minutes": 1}, 0),
        (machines[2], {"priority": 2, "minutes": 3}, 2),
        (machines[3], {"priority": 2, "minutes": 9}, 1),
    ]
    for machine, fields, _place in wanted:
        factories.rule(machine)
        raise_alarm(machine, **fields)
    factories.rule(machines[4])
    raise_alarm(machines[4], priority=1, suppressed=["shelved"])
    listed = [row["alarm"].asset_code for row in board().attention]
    assert listed == [machine.code for machine, _fields, _place in sorted(wanted, key=lambda row: row[2])]


def test_the_banner_holds_the_most_important_alarm_and_its_acknowledgement(
    browser: Client, raise_alarm: Callable[..., Alarm]
) -> None:
    machines = build(3)
    for machine, priority in zip(machines, (3, 1, 2), strict=True):
        factories.rule(machine)
        raise_alarm(machine, priority=priority, message=f"Priority {priority}")
    page = browser.get("/").content.decode()
    banner = page[page.index('id="banner"') : page.index("<main")]
    assert "Priority 1" in banner
    assert machines[1].code in banner
    assert "Priority 2" not in banner


def test_a_page_of_an_area_shows_its_own_part_only(browser: Client) -> None:
    build(6)
    page = browser.get("/a/hall/line-2/")
    assert page.status_code == 200
    text = page.content.decode()
    assert 'href="/a/hall/line-2/press-2-1/" tabindex=' in text
    assert 'href="/a/hall/line-1/press-1-1/" tabindex=' not in text
    assert browser.get("/a/hall/no-such/").status_code == 404


def test_an_empty_plant_shows_how_to_begin(browser: Client) -> None:
    page = browser.get("/", follow=True).content.decode()
    assert "There are no machines yet" in page


@pytest.fixture
def pulses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets this process have been up for long, with workers that answer and an auditor that finds nothing late."""
    from django.utils import timezone

    monkeypatch.setattr(pipeline, "_began", time.monotonic() - pipeline.COMES_UP)
    auditor.audit(timezone.now())
    for worker in signs.WORKERS:
        pulse(worker)


def test_the_page_is_well_while_workers_and_auditor_answer(browser: Client, pulses: None) -> None:
    assert pipeline.health().reason == ""
    build(3)
    assert 'id="pipeline-ill" hidden' in browser.get("/").content.decode()


@pytest.mark.parametrize(
    ("expired", "says"),
    [
        (["telemetry"], "No worker has judged readings for a while. No alarm is raised."),
        (["work", "calls"], "The worker that calls people has not answered for a while."),
        (["telemetry", "work", "calls"], "Neither beat nor a worker has answered for a while."),
        (["calls"], "Calls go out late, or nobody checks that they go out."),
    ],
)
def test_the_page_says_which_pulse_has_expired(
    browser: Client, pulses: None, expired: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(3)
    for name in expired:
        stream.connect().pexpire(signs.key(name), 1)
    time.sleep(0.01)
    page = browser.get("/").content.decode()
    assert "The pipeline is ill" in page and says in page and 'id="pipeline-ill" hidden' not in page
    assert says in browser.get("/figures").json()["pipeline"]["reason"]
    monkeypatch.setattr(pipeline, "_began", time.monotonic())
    assert not pipeline.health().ill  # they may be coming up


def test_the_calls_have_no_pulse_while_one_is_late(
    browser: Client, pulses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.connect().delete(signs.key(signs.CALLS))
    with monkeypatch.context() as late:
        late.setattr(auditor, "is_well", lambda now: False)
        pulse("work")
    assert pipeline.health().reason.startswith("Calls go out late")
    pulse("work")
    assert not pipeline.health().ill


def test_the_pulses_cost_the_page_no_query(db: None, pulses: None, django_assert_num_queries: Any) -> None:
    pipeline.health()
    with django_assert_num_queries(1):
        pipeline.health()


def test_the_page_stands_without_redis_and_says_so(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    build(3)

    def gone(*_args: Any, **_fields: Any) -> Any:
        raise redis.ConnectionError("gone")

    monkeypatch.setattr("devices.telemetry.latest.read_shards", gone)
    monkeypatch.setattr("devices.telemetry.stream.lag", gone)
    page = browser.get("/").content.decode()
    assert "The pipeline is ill" in page
    assert "offline" in page


def test_names_are_text_and_never_markup(browser: Client) -> None:
    site = services.create_asset(code="works", name="<script>alert(1)</script>", level="site")
    machine = services.create_asset(code="m", name='"><img src=x onerror=alert(1)>', level="machine", parent=site)
    factories.sensor(machine)
    page = browser.get("/").content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page


def test_the_figures_that_no_event_carries_are_asked_for(
    browser: Client, raise_alarm: Callable[..., Alarm], monkeypatch: pytest.MonkeyPatch, pulses: None
) -> None:
    machine = build(3)[0]
    factories.rule(machine)
    raise_alarm(machine, minutes=3)
    figures = browser.get("/figures").json()
    assert (figures["rate"][-1], sum(figures["rate"]), len(figures["rate"])) == (1, 1, 24)
    assert figures["pipeline"] == {"readings": 0, "seconds": 0.0, "share": 0.0, "reason": ""}
    monkeypatch.setattr("devices.telemetry.stream.lag", lambda _client: {0: Lag(5000, 42.0), 1: Lag(1, 0.1)})
    shown = browser.get("/figures").json()["pipeline"]
    assert (shown["readings"], shown["share"]) == (5001, 1.0)
    assert "42 s" in shown["reason"]
