"""Find, theme and places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alarm, Contact, State
from alerts.models.calling import Rota, RotaLayer, RotaTurn
from alerts.rules import create_type_rule
from devices import services
from devices.models import Asset, Sensor
from plant.models import Synoptic
from plant.pages.finding import Index
from tests import factories


def found(browser: Client, words: str) -> list[tuple[str, str]]:
    items = browser.get("/find", {"q": words}).json()["items"]
    return [(item["kind"], item["title"]) for item in items]


@pytest.fixture
def works(browser: Client) -> Client:
    for machine in factories.plant(lines=1, machines=3):
        factories.sensor(machine, "bearing-temp", name="Bearing temperature")
    return browser


def test_a_code_comes_before_what_only_contains_it(works: Client) -> None:
    services.create_asset(code="press-1", name="Older press", level="machine")
    assert found(works, "press-1")[0] == ("machine", "press-1")


def test_all_words_must_be_there_in_any_order(works: Client) -> None:
    assert found(works, "temp press-1-2") == [("sensor", "press-1-2/bearing-temp")]
    assert found(works, "bearing 1-2") == [("sensor", "press-1-2/bearing-temp")]


def test_pages_are_found_by_name_but_not_those_one_may_not_open(works: Client) -> None:
    assert ("page", "Overview") in found(works, "overv")
    assert found(works, "plant setup") == []


def test_nothing_leads_nowhere(works: Client) -> None:
    assert found(works, "") == []
    assert found(works, "  ") == []
    assert found(works, "zzz") == []
    assert found(works, "9" * 40) == []


def test_alarms_are_found_by_number_and_by_their_text(works: Client, raise_alarm: Callable[..., Alarm]) -> None:
    machine = Asset.objects.get(code="press-1-1")
    rule = factories.rule(machine, sensor_key="bearing-temp")
    old = raise_alarm(machine, rule=rule, closed=timezone.now(), state=State.NORMAL, message="Oil too old")
    alarm = raise_alarm(machine, rule=rule, message="Bearing runs hot")
    assert found(works, f"#{alarm.pk}") == [("alarm", f"#{alarm.pk}")]
    assert ("alarm", f"#{old.pk}") in found(works, str(old.pk))
    assert found(works, "runs hot") == [("alarm", f"#{alarm.pk}")]
    assert found(works, "too old") == []


def test_rules_are_found_once_for_all_machines_of_a_type(works: Client) -> None:
    pump = factories.asset_type()
    services.create_type_sensor(type=pump, key="oil", name="Oil", unit="degC", range_low=0, range_high=150)
    type_rule = create_type_rule(type=pump, name="Oil hot", kind="high", sensor_key="oil", limit=80, priority=2)
    for number in range(3):
        services.create_asset(code=f"pump-{number}", name=f"P {number}", level="machine", type=pump)
    own = factories.rule(Asset.objects.get(code="press-1-1"), "Runs hot", sensor_key="bearing-temp")
    items = works.get("/find", {"q": "hot"}).json()["items"]
    assert [(item["title"], item["detail"], item["url"]) for item in items] == [
        ("Oil hot", "Pump", f"/type-rules/{type_rule.pk}/"),
        ("Runs hot", "press-1-1", f"/rules/{own.pk}/"),
    ]


def test_a_person_is_found_where_there_is_a_page_of_them_that_one_may_open(works: Client) -> None:
    factories.viewer("ines")
    mara = factories.viewer("mara")
    rota = Rota.objects.create(code="on-call", name="Works on call")
    layer = RotaLayer.objects.create(rota=rota, name="Weeks", first="2026-01-05", turns=[7])
    RotaTurn.objects.create(layer=layer, place=0, user=mara)

    def people(browser: Client, words: str) -> list[tuple[str, str]]:
        items = browser.get("/find", {"q": words}).json()["items"]
        return [(item["detail"], item["url"]) for item in items if item["kind"] == "person"]

    assert people(works, "vera viewer") == [("mara, Works on call", "/on-call/on-call/")]
    assert people(works, "ines") == []
    assert people(works, "olga") == [("operator", "/subscriptions/")]
    User.objects.filter(username="mara").update(is_active=False)
    assert people(works, "mara") == []
    admin = Client()
    admin.force_login(User.objects.create_superuser("root"))
    ines = User.objects.get(username="ines")
    assert people(admin, "ines") == [("ines", f"/admin/auth/user/{ines.pk}/change/")]


def test_the_first_word_of_a_longer_name_is_not_the_whole_name(works: Client) -> None:
    factories.rule(Asset.objects.get(code="press-1-1"), "Press hot", sensor_key="bearing-temp")
    assert found(works, "press")[0][0] == "machine"
    assert found(works, "press hot")[0] == ("rule", "Press hot")


def test_synoptics_are_found_by_name(works: Client) -> None:
    area = Asset.objects.get(code="hall")
    drawing = Synoptic.objects.create(code="oven-line", name="Oven line", asset=area, drawing="<svg/>")
    items = works.get("/find", {"q": "oven"}).json()["items"]
    assert [(item["kind"], item["url"]) for item in items] == [("synoptic", f"/synoptics/{drawing.pk}/")]


def test_the_kind_with_the_nearest_match_comes_first_and_none_takes_all_the_room(works: Client) -> None:
    kinds = [kind for kind, _title in found(works, "alarms")]
    assert kinds[0] == "page"
    for machine in Asset.objects.filter(level="machine"):
        for number in range(20):
            factories.sensor(machine, f"press-{number}")
    kinds = [kind for kind, _title in found(works, "press")]
    assert Counter(kinds) == {"machine": 3, "sensor": 6}
    assert [item["group"] for item in works.get("/find", {"q": "press"}).json()["items"]][::6] == ["Assets", "Sensors"]


def test_finding_costs_the_same_number_of_queries_in_a_large_plant(
    works: Client, raise_alarm: Callable[..., Alarm]
) -> None:
    def queries(words: str) -> list[str]:
        works.get("/find", {"q": words})
        with CaptureQueriesContext(connection) as captured:
            works.get("/find", {"q": words})
        return [query["sql"][:160] for query in captured.captured_queries]

    small = queries("press temp")
    line = Asset.objects.get(code="line-1")
    Asset.objects.bulk_create(
        Asset(code=f"press-{n}", name=f"Press {n}", level="machine", parent=line) for n in range(300)
    )
    many = list(Asset.objects.filter(code__regex=r"^press-\d+$"))
    Sensor.objects.bulk_create(Sensor(asset=machine, key="temp", name="Temperature") for machine in many)
    for machine in many[:30]:
        raise_alarm(machine, message="Press temperature high")
    services.bump("plant")
    large = queries("press temp")
    assert len(large) == len(small) <= 8, "\n".join(large)


@pytest.mark.parametrize("words", [["ab"], ["ab", "x"], ["x", "9"], ["zz"], ["b-2", "ab"], ["name"]])
def test_an_index_finds_what_looking_at_each_line_finds(words: list[str]) -> None:
    names = [
        (f"{code}-{n}", f"Name {extra}") for n in range(30) for code in ("ab", "xab", "b") for extra in ("x", "y 9")
    ]
    lines = [f"{code} {rest}".casefold() for code, rest in names]

    def rank(line: str) -> int:
        first = words[0]
        code = line.split(" ")[0]
        return 0 if code == first else 1 if code.startswith(first) else 2 if f" {first}" in line else 3

    wanted = sorted((rank(line), n) for n, line in enumerate(lines) if all(word in line for word in words))
    assert Index(names).find(words, most=1000) == wanted
    assert Index(names).find(words, most=5) == wanted[:5]


@pytest.mark.parametrize("words", [["ab"], ["ab", "x"], ["x", "9"], ["zz"], ["b-2", "ab"], ["name"]])
def test_an_index_counts_what_looking_at_each_line_counts(words: list[str]) -> None:
    names = [
        (f"{code}-{n}", f"Name {extra}") for n in range(30) for code in ("ab", "xab", "b") for extra in ("x", "y 9")
    ]
    whole = sum(all(word in f"{code} {rest}".casefold() for word in words) for code, rest in names)
    index = Index(names)
    assert index.count(words, len(index.find(words))) == (whole, False)


def test_an_index_counts_no_further_than_is_worth_it() -> None:
    index = Index((f"pump-{n}", "") for n in range(501))
    assert index.count(["pump"], 6) == (500, True)
    assert Index((f"pump-{n}", "") for n in range(500)).count(["pump"], 6) == (500, False)


def test_find_says_how_many_there_are_of_each_kind(works: Client, raise_alarm: Callable[..., Alarm]) -> None:
    machines = list(Asset.objects.filter(level="machine"))
    for machine in machines:
        for number in range(20):
            factories.sensor(machine, f"press-{number}")
        for _number in range(3):
            raise_alarm(machine, message="Press hot")
    answer = works.get("/find", {"q": "press"}).json()
    assert len(answer["items"]) == 12
    assert answer["counts"] == {"Assets": [3, False], "Sensors": [63, False], "Alarms": [9, False]}
    assert works.get("/find", {"q": " "}).json() == {"items": [], "counts": {}}


def test_an_alarm_that_is_found_twice_is_listed_once(works: Client, raise_alarm: Callable[..., Alarm]) -> None:
    alarm = raise_alarm(Asset.objects.get(code="press-1-1"))
    Alarm.objects.filter(pk=alarm.pk).update(message=f"Number {alarm.pk}")
    assert found(works, str(alarm.pk)).count(("alarm", f"#{alarm.pk}")) == 1


def test_find_stays_short(works: Client) -> None:
    assert len(found(works, "e")) <= 12


def test_the_theme_is_stored_for_the_person_and_written_by_the_server(works: Client) -> None:
    assert "data-theme" not in works.get("/").content.decode()[:200]
    assert works.post("/theme", {"theme": "light"}, headers={"X-Requested-With": "fetch"}).status_code == 204
    assert 'data-theme="light"' in works.get("/").content.decode()[:200]
    assert Contact.objects.get(user__username="operator").theme == "light"


def test_a_theme_that_is_none_is_refused(works: Client) -> None:
    assert works.post("/theme", {"theme": "blue"}).status_code == 400


def test_the_theme_does_not_lead_to_another_site(works: Client) -> None:
    answer = works.post("/theme", {"theme": "dark"}, headers={"Referer": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"


def test_places_name_every_asset_with_its_area(works: Client) -> None:
    answer = works.get("/places").json()
    assert answer["places"]["press-1-1"] == ["Press 1.1", "Hall / Line 1", "/a/hall/line-1/press-1-1/", "hall"]
    assert answer["units"]["degC"] == "°C"


def test_a_stranger_gets_nothing(client: Client, db: None) -> None:
    for address in ("/", "/find?q=a", "/places", "/a/hall/"):
        assert client.get(address).status_code == 302
    assert client.post("/theme", {"theme": "dark"}).status_code == 302


def test_the_flood_indicator_knows_when_its_alarms_came(works: Client, raise_alarm: Callable[..., Alarm]) -> None:
    press = Asset.objects.get(code="press-1-1")
    for minutes in (1, 1, 9):
        raise_alarm(press, minutes=minutes)
    answer = works.get("/")
    shell = answer.context["shell"]
    assert (len(shell.raised), shell.recent) == (60, 3)
    ago = [60 - place for place, count in enumerate(shell.raised) for _ in range(count)]  # in tens of seconds
    assert ago == [55, 7, 7]
    assert f'data-raised="[{",".join(map(str, shell.raised))}]"' in answer.content.decode()
