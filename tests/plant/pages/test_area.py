"""An area's page: a card for each machine that needs a look, the quiet lines folded, and what the person turned."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alarm
from devices import services
from devices.models import Asset, Sensor
from plant.pages.area import FEW_CARDS, MOST_CARDS, Page, View
from plant.pages.tree import tree
from tests import factories

BUDGET = 30
STATES = {"0": "stopped", "1": "execute", "2": "held", "3": "aborted"}

RaiseAlarm = Callable[..., Alarm]


@pytest.fixture
def hall(browser: Client) -> list[Asset]:
    """Gives six machines on three lines, each with a temperature and a state."""
    made = factories.plant(lines=3, machines=2)
    for machine in made:
        factories.sensor(machine, normal_low=20.0, normal_high=70.0)
        factories.sensor(machine, "state", quantity="state", unit="", range_low=None, range_high=None, labels=STATES)
        factories.rule(machine)
    return made


def show(client: Any, sensor: Sensor, value: float, *, seconds_ago: float = 0.5) -> None:
    """Writes a newest reading as a drain does."""
    at = int((time.time() - seconds_ago) * 1e6)
    client.hset(f"andon:latest:{sensor.asset.shard}", str(sensor.pk), struct.pack("<qdB", at, value, 0))


def page(code: str = "hall", **view: Any) -> Page:
    plant = tree()
    return Page(plant, plant.by_code[code], View(**view), timezone.now())


def opened(of: Page) -> list[str]:
    return [part.key for part in of.parts if part.open]


def cards(of: Page) -> list[str]:
    return [card.cell.code for _part, found in of.drawn for card in found]


def more_machines(number: int, line: str = "line-1") -> None:
    above = Asset.objects.get(code=line)
    # Straight into the tables: as many services would take the test's time.
    Asset.objects.bulk_create(
        Asset(code=f"more-{n:04}", name=f"More {n}", level="machine", parent=above, position=n + 1)
        for n in range(number)
    )
    made = Asset.objects.filter(code__startswith="more-")
    Sensor.objects.bulk_create(Sensor(asset=one, key="temp", name="Temperature", interval=1.0) for one in made)
    services.bump("plant")


def test_the_page_costs_the_same_number_of_queries_for_6_and_for_3000_machines(
    hall: list[Asset], browser: Client, raise_alarm: RaiseAlarm
) -> None:
    def queries() -> list[str]:
        assert browser.get("/a/hall/").status_code == 200
        with CaptureQueriesContext(connection) as captured:
            browser.get("/a/hall/")
        return [query["sql"][:160] for query in captured.captured_queries]

    raise_alarm(hall[0])
    few = queries()
    more_machines(2994)
    for machine in Asset.objects.filter(code__startswith="more-")[:80]:
        raise_alarm(machine)
    many = queries()
    assert len(page().board.sensors) == 3006
    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= BUDGET, "\n".join(many)


def test_a_line_with_an_alarm_is_open_and_a_quiet_one_is_folded(
    hall: list[Asset], browser: Client, raise_alarm: RaiseAlarm
) -> None:
    raise_alarm(hall[2])
    found = page()
    assert opened(found) == ["line-2"]
    assert cards(found) == ["press-2-1", "press-2-2"]
    text = browser.get("/a/hall/").content.decode()
    assert 'data-card="press-2-1"' in text and 'data-card="press-1-1"' not in text
    assert 'href="/a/hall/line-1/press-1-1/" tabindex=' in text  # in its folded line's honeycomb
    assert "press-2-1 Temperature high" in text


def test_what_the_person_unfolds_and_folds_stays_so(
    hall: list[Asset], browser: Client, raise_alarm: RaiseAlarm
) -> None:
    raise_alarm(hall[2])
    browser.cookies["unfolded"], browser.cookies["folded"] = "line-3.line-9", "line-2"
    answer = browser.get("/a/hall/")
    assert opened(answer.context["page"]) == ["line-3"]


def test_a_line_by_itself_has_all_its_cards(hall: list[Asset], browser: Client) -> None:
    answer = browser.get("/a/hall/line-2/")
    assert cards(answer.context["page"]) == ["press-2-1", "press-2-2"]
    text = answer.content.decode()
    assert 'href="/a/hall/line-1/press-1-1/" tabindex=' not in text
    assert browser.get("/a/hall/no-such/").status_code == 404


def test_a_line_is_never_folded_on_its_own_page(hall: list[Asset], browser: Client) -> None:
    browser.cookies["folded"] = "line-2"
    answer = browser.get("/a/hall/line-2/")
    assert opened(answer.context["page"]) == ["line-2"]
    assert 'data-act="fold"' not in answer.content.decode()


def test_of_a_long_line_what_is_abnormal_and_the_first_are_shown_and_the_rest_is_asked_for(
    hall: list[Asset], browser: Client, clean_redis: Any, raise_alarm: RaiseAlarm
) -> None:
    more_machines(30)
    for sensor in Sensor.objects.filter(key="temp").select_related("asset"):
        show(clean_redis, sensor, 50.0)
    last = Asset.objects.get(code="more-0029")
    raise_alarm(last)
    found = page()
    assert cards(found) == ["press-1-1", "press-1-2", *(f"more-{n:04}" for n in range(FEW_CARDS - 3)), "more-0029"]
    part = found.parts[0]
    assert (part.more, part.more_abnormal) == (32 - FEW_CARDS, 0)
    known = ".".join(cards(found))
    rest = browser.get("/a/hall/", {"cards": "line-1", "known": known})
    assert rest.content.decode().count("data-card=") == 32 - FEW_CARDS
    assert "<html" not in rest.content.decode()


def test_a_very_long_line_comes_page_by_page(hall: list[Asset], browser: Client) -> None:
    more_machines(100)
    first = browser.get("/a/hall/line-1/").context["page"]
    assert len(cards(first)) == MOST_CARDS
    second = browser.get("/a/hall/line-1/" + first.next_page).context["page"]
    assert (len(cards(second)), second.next_page) == (102 - MOST_CARDS, "")
    assert second.previous_page == "?"
    assert not set(cards(first)) & set(cards(second))


def test_a_line_with_all_the_machines_comes_page_by_page_beside_an_empty_one_too(
    hall: list[Asset], browser: Client
) -> None:
    Asset.objects.filter(parent__code__in=("line-2", "line-3")).delete()
    more_machines(98)
    services.create_asset(code="line-9", name="Line 9", level="line", parent=Asset.objects.get(code="hall"))
    first = browser.get("/a/hall/")
    assert len(cards(first.context["page"])) == MOST_CARDS
    assert "Further machines" in first.content.decode()
    second = browser.get("/a/hall/" + first.context["page"].next_page).context["page"]
    assert (len(cards(second)), second.next_page) == (100 - MOST_CARDS, "")


def test_a_card_has_state_key_values_and_the_alarms_of_its_machine(
    hall: list[Asset], browser: Client, clean_redis: Any, raise_alarm: RaiseAlarm
) -> None:
    machine = hall[0]
    for key in ("oil", "flow", "power", "zinc"):
        factories.sensor(machine, key)
    show(clean_redis, machine.sensors.get(key="state"), 2)
    show(clean_redis, machine.sensors.get(key="temp"), 97.4)
    zinc = machine.sensors.get(key="zinc")
    raise_alarm(machine, sensor=zinc, tag=zinc.tag)
    card = page().cards["press-1-1"]
    # What has rules comes first, what is in an alarm is among them, the state is none of them.
    assert [value.name for value in card.values] == ["Temp", "Oil", "Zinc"]
    assert (card.values[0].text, card.values[2].priority) == ("97.4", 2)
    assert (card.cell.word, card.rest, list(card.symbols)) == ("held", True, [2])
    assert card.classes == "card idle al p2"
    text = browser.get("/a/hall/").content.decode()
    assert 'class="mai al p2 rest none" role="meter" aria-label="Zinc"' in text


def test_a_value_without_a_scale_keeps_its_row(hall: list[Asset], browser: Client) -> None:
    factories.sensor(hall[0], "beats", range_low=None, range_high=None)
    text = browser.get("/a/hall/line-1/").content.decode()
    card = text[text.index('data-card="press-1-1"') : text.index('data-card="press-1-2"')]
    assert '<span class="k trunc" title="Beats">Beats</span><span></span><span class="num">' in card


def test_a_machine_without_data_says_so_instead_of_old_values(
    hall: list[Asset], browser: Client, clean_redis: Any
) -> None:
    show(clean_redis, hall[0].sensors.get(key="temp"), 60.0)
    text = browser.get("/a/hall/line-1/").content.decode()
    first, second = text.index('data-card="press-1-1"'), text.index('data-card="press-1-2"')
    assert "data-note hidden" in text[first:second]
    assert "data-note>" in text[second:]


def test_only_abnormal_and_worst_first_stand_in_the_address(
    hall: list[Asset], browser: Client, clean_redis: Any, raise_alarm: RaiseAlarm
) -> None:
    for sensor in Sensor.objects.filter(key="temp").select_related("asset"):
        show(clean_redis, sensor, 50.0)
    raise_alarm(hall[1], priority=1)
    assert cards(browser.get("/a/hall/line-1/?sort=worst").context["page"]) == ["press-1-2", "press-1-1"]
    assert cards(browser.get("/a/hall/line-1/?only=abnormal").context["page"]) == ["press-1-2"]
    view = View(abnormal=True)
    assert (view.toggle_sort, view.toggle_abnormal) == ("?only=abnormal&sort=worst", "?")


def test_the_table_has_every_machine_of_the_area(hall: list[Asset], browser: Client) -> None:
    text = browser.get("/a/hall/?view=table").content.decode()
    assert text.count("data-row=") == 6
    assert "data-card=" not in text
    assert 'href="?"' in text  # back to the cards


def test_counts_are_those_of_the_area(hall: list[Asset], browser: Client, raise_alarm: RaiseAlarm) -> None:
    outside = services.create_asset(code="yard", name="Yard", level="area", parent=Asset.objects.get(code="works"))
    raise_alarm(services.create_asset(code="crane", name="Crane", level="machine", parent=outside), rule=None)
    raise_alarm(hall[0])
    assert page().board.tally.total == 1


def test_a_stranger_is_sent_to_the_door(hall: list[Asset]) -> None:
    assert Client().get("/a/hall/").status_code == 302
