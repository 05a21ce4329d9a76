"""The map: what is on it, whose alarms stand where, the ways of what moves; and what it is drawn on."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from alerts.models import Alarm
from devices import services
from devices.models import Asset, Sensor
from devices.telemetry.codec import Columns
from plant.models import MapLayer, SitePlan
from plant.pages.site_map import Ground, track
from plant.pages.tree import tree
from plant.roles import ensure_roles
from plant.site.services import add_outlines, place_plan
from tests import factories

BUDGET = 26
SECOND = 1_000_000
SQUARE = b'{"type":"Polygon","coordinates":[[[10,53],[10.1,53],[10.1,53.1],[10,53.1],[10,53]]]}'


def place(asset: Asset, latitude: float = 53.5, longitude: float = 10.0) -> None:
    services.update_asset(asset=asset, latitude=latitude, longitude=longitude)


def shown() -> dict[str, dict[str, Any]]:
    """Gives what the script is given, by code."""
    return {spot["code"]: spot for spot in Ground(tree(), timezone.now()).page()["spots"]}


def mover(asset: Asset, interval: float = 2.0) -> tuple[Sensor, Sensor]:
    fields: dict[str, Any] = {"unit": "deg", "range_low": None, "range_high": None, "interval": interval}
    return (
        factories.sensor(asset, "north", quantity="latitude", **fields),
        factories.sensor(asset, "east", quantity="longitude", **fields),
    )


# --- What is on it ---------------------------------------------------------------------------------------------------


def test_an_empty_map_says_how_to_put_something_on_it(browser: Client) -> None:
    factories.plant()
    page = browser.get("/map/").content.decode()
    assert "Nothing is on the map yet" in page
    assert "map-data" not in page


def test_alarms_of_what_has_no_place_stand_at_the_nearest_above_that_has_one(
    browser: Client, raise_alarm: Callable[..., Alarm]
) -> None:
    first, second = factories.plant(machines=2)
    part = services.create_asset(code="valve", name="Valve", level="module", parent=first)
    for asset in (first, Asset.objects.get(code="hall")):
        place(asset)
    for asset in (part, second):
        raise_alarm(asset, rule=factories.rule(asset, sensor_key=factories.sensor(asset).key))
    spots = {spot.node.code: spot for spot in Ground(tree(), timezone.now()).spots}
    assert set(spots) == {"press-1-1", "hall"}
    assert spots["press-1-1"].codes == ["press-1-1", "valve"]
    assert spots["hall"].codes == ["hall", "line-1", "press-1-2"]
    assert [spots[code].tally.total for code in ("press-1-1", "hall")] == [1, 1]


def test_a_machine_is_shown_with_its_state_and_an_area_by_its_name(browser: Client) -> None:
    machine = factories.plant(machines=1)[0]
    factories.sensor(machine)
    place(machine, 53.5512, 9.9937)
    place(Asset.objects.get(code="hall"))
    found = shown()
    assert found["press-1-1"]["at"] == (53.5512, 9.9937)
    assert found["press-1-1"]["cell"]["after"] == {"stale": 5000.0, "offline": 120_000.0}
    assert "cell" not in found["hall"]
    page = browser.get("/map/").content.decode()
    assert page.index('data-code="hall"') < page.index('data-code="press-1-1"')  # by name
    assert 'data-subscribe="[&quot;press-1-1&quot;]"' in page


def test_the_list_is_searched_and_turned_page_by_page_without_a_script(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plant.pages.site_map.LISTED", 2)
    for machine in factories.plant(machines=5):
        place(machine)
    first = browser.get("/map/").content.decode()
    assert first.count("<li data-code=") == 2 and "page=2" in first
    assert browser.get("/map/?page=3").content.decode().count("<li data-code=") == 1
    found = browser.get("/map/", {"q": "hall 1.4"}).content.decode()
    assert 'li data-code="press-1-4"' in found and found.count("<li data-code=") == 1


def test_the_map_costs_the_same_number_of_queries_for_3_and_for_300_machines(
    browser: Client, raise_alarm: Callable[..., Alarm]
) -> None:
    few = factories.plant(machines=3)
    for machine in few:
        place(machine)
    mover(few[0])
    raise_alarm(few[0], rule=factories.rule(few[0], sensor_key="north"))
    add_outlines(name="Site", data=SQUARE)

    def queries(address: str) -> list[str]:
        assert browser.get(address).status_code == 200
        with CaptureQueriesContext(connection) as captured:
            browser.get(address)
        return [query["sql"][:160] for query in captured.captured_queries]

    small, small_tracks = queries("/map/"), queries("/map/tracks?span=1h")
    line = Asset.objects.get(code="line-1")
    Asset.objects.bulk_create(
        Asset(code=f"m-{n}", name=f"M {n}", level="machine", parent=line, latitude=53.5, longitude=10 + n / 1000)
        for n in range(297)
    )
    many = list(Asset.objects.filter(code__startswith="m-"))
    for key, quantity in (("north", "latitude"), ("east", "longitude"), ("temp", "temperature")):
        Sensor.objects.bulk_create(Sensor(asset=one, key=key, name=key, quantity=quantity, interval=2) for one in many)
    for machine in many[:40]:
        raise_alarm(machine)
    services.bump("plant")
    large, large_tracks = queries("/map/"), queries("/map/tracks?span=1h")
    assert len(large) == len(small) <= BUDGET, "\n".join(large)
    assert len(large_tracks) == len(small_tracks), "\n".join(large_tracks)


# --- Metres of a plan ------------------------------------------------------------------------------------------------


def test_a_plan_without_a_place_is_the_whole_map_where_there_is_nothing_else(browser: Client) -> None:
    machine = factories.plant(machines=1)[0]
    services.update_asset(asset=machine, plan_x=12.5, plan_y=40.0)
    ground = Ground(tree(), timezone.now())
    assert (ground.page()["plan"], ground.off) == ([0.0, 0.0, 0.0], 0)


def test_a_plan_without_a_place_is_left_out_where_the_rest_is_on_the_earth(browser: Client) -> None:
    first, second = factories.plant(machines=2)
    services.update_asset(asset=first, plan_x=12.5, plan_y=40.0)
    place(second)
    ground = Ground(tree(), timezone.now())
    assert (ground.page()["plan"], ground.off) == (None, 1)
    assert "1 asset has metres on a plan without a place." in browser.get("/map/").content.decode()
    place_plan(latitude=53.5, longitude=10.0, bearing=15.0)
    ground = Ground(tree(), timezone.now())
    assert (ground.page()["plan"], ground.off) == ([53.5, 10.0, 15.0], 0)


# --- Ways ------------------------------------------------------------------------------------------------------------


def columns(*rows: tuple[float, float] | tuple[float, float, int]) -> Columns:
    """Gives readings from (second, value) or (second, value, quality)."""
    times = np.array([int(row[0] * SECOND) for row in rows], np.int64)
    quality = np.array([row[2] if len(row) > 2 else 0 for row in rows], np.uint8)
    return Columns(times, np.array([row[1] for row in rows]), quality, np.zeros(len(rows), np.bool_))


def test_a_way_is_drawn_without_the_points_that_lie_on_it_and_breaks_where_nothing_came() -> None:
    seconds = [*range(0, 100, 2), *range(200, 300, 2)]
    north = columns(*[(second, 53.0 + second / 1e5) for second in seconds])
    east = columns(*[(second, 10.0) for second in seconds])
    assert track(north, east, 2.0) == [
        [[0, 53.0, 10.0], [98_000, 53.00098, 10.0]],
        [[200_000, 53.002, 10.0], [298_000, 53.00298, 10.0]],
    ]


def test_a_bad_position_is_none_and_a_longitude_stands_until_the_next() -> None:
    north = columns((0, 53.0), (2, 99.0, 2), (4, 53.1), (6, 53.1), (8, 190.0))
    east = columns((0, 10.0), (4, 10.2), (5, 10.3))
    assert track(north, east, 2.0) == [[[0, 53.0, 10.0], [4000, 53.1, 10.2], [6000, 53.1, 10.3]]]
    assert track(columns(), east, 2.0) == []


def test_the_way_of_a_machine_comes_from_its_history(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = factories.plant(machines=1)[0]
    north, east = mover(machine)
    asked: list[Any] = []

    def read_many(ids: list[int], start: int, end: int) -> dict[int, Columns]:
        asked.append((ids, start, end))
        return {north.pk: columns((0, 53.0), (2, 53.1)), east.pk: columns((0, 10.0), (2, 10.0))}

    monkeypatch.setattr("plant.pages.site_map.history.read_many", read_many)
    answer = browser.get("/map/tracks?span=8h&at=1772344800000").json()
    assert answer == {"tracks": {"press-1-1": [[[0, 53.0, 10.0], [2000, 53.1, 10.0]]]}}
    end = 1_772_344_800_000_000
    assert asked == [([north.pk, east.pk], end - 8 * 3600 * SECOND, end)]


@pytest.mark.parametrize("words", ["span=2h", "", "span=1h&at=now", "span=1h&at=9999999999999999999"])
def test_a_way_of_no_known_span_or_time_is_refused(browser: Client, words: str) -> None:
    assert browser.get(f"/map/tracks?{words}").status_code == 400


# --- Layers ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def engineer(client: Client, db: None, clean_redis: Any) -> Client:
    ensure_roles()
    factories.plant(machines=1)
    client.force_login(factories.engineer())
    return client


def upload(client: Client, content: bytes, called: str = "site.geojson", **fields: str) -> Any:
    return client.post("/map/layers/add", {"name": "Site", "file": SimpleUploadedFile(called, content), **fields})


def png() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (30, 20), (90, 120, 60)).save(held, "PNG")
    return held.getvalue()


EDGES = {"west": "10", "south": "53", "east": "10,1", "north": "53.1"}


def test_outlines_are_uploaded_shown_and_taken_away_and_the_history_says_by_whom(engineer: Client) -> None:
    assert upload(engineer, SQUARE).status_code == 302
    layer = MapLayer.objects.get()
    assert (layer.kind, layer.facts["shapes"], layer.uploaded_by.get_username()) == ("outlines", 1, "engineer")
    address = json.loads(engineer.get("/map/").context["ground"].page()["layers"][0]["url"].join('""'))
    answer = engineer.get(address)
    assert answer["Content-Type"] == "application/geo+json"
    assert "immutable" in answer["Cache-Control"]
    assert json.loads(answer.content)["features"][0]["geometry"]["type"] == "MultiPolygon"
    assert engineer.get(address[:-1] + "0").status_code in (404, 200 if address.endswith("0") else 404)
    assert engineer.post(f"/map/layers/{layer.pk}/delete").status_code == 302
    assert not MapLayer.objects.exists()
    kept = MapLayer.history.order_by("history_id")
    assert [(row.history_type, row.history_user.get_username()) for row in kept] == [
        ("+", "engineer"),
        ("-", "engineer"),
    ]
    assert "taken away" in engineer.get("/map/layers/").content.decode()


def test_a_picture_lies_between_its_edges_and_is_written_anew(engineer: Client) -> None:
    assert upload(engineer, png(), "plan.png", **EDGES).status_code == 302
    layer = MapLayer.objects.get()
    assert (layer.west, layer.south, layer.east, layer.north) == (10.0, 53.0, 10.1, 53.1)
    assert (layer.media_type, layer.facts) == ("image/webp", {"width": 30, "height": 20})
    answer = engineer.get(f"/map/layers/{layer.pk}/{layer.digest}")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert Image.open(io.BytesIO(answer.content)).format == "WEBP"


@pytest.mark.parametrize(
    ("content", "fields", "words"),
    [
        (b"<svg onload='x()'/>", EDGES, "not a picture that can be opened"),
        (b"{}", {}, "not GeoJSON"),
        (png(), {}, "Write a number."),
        (png(), {**EDGES, "north": "52"}, "north must be above 53"),
        (png(), {**EDGES, "east": "200"}, "east must be at most 180"),
        (SQUARE, {"name": " "}, ""),
    ],
)
def test_what_cannot_be_a_layer_is_refused_with_what_was_typed(
    engineer: Client, content: bytes, fields: dict[str, str], words: str
) -> None:
    answer = upload(engineer, content, **fields)
    if words:
        assert answer.status_code == 400
        page = answer.content.decode()
        assert words in page and all(value in page for value in fields.values())
        assert not MapLayer.objects.exists()
    else:  # the file's name is its name
        assert MapLayer.objects.get().name == "site"


def test_without_a_file_the_page_says_so(engineer: Client) -> None:
    assert "Choose a file." in engineer.post("/map/layers/add", {"name": "Site"}).content.decode()


def test_the_plan_is_placed_once_and_moved(engineer: Client) -> None:
    sent = {"latitude": "53.5", "longitude": "9,99", "bearing": "12"}
    assert engineer.post("/map/plan", sent).status_code == 302
    assert engineer.post("/map/plan", {**sent, "bearing": "15"}).status_code == 302
    plan = SitePlan.objects.get()
    assert (plan.latitude, plan.longitude, plan.bearing) == (53.5, 9.99, 15.0)
    assert plan.history.count() == 2
    assert engineer.post("/map/plan", {**sent, "latitude": "north"}).status_code == 400


def test_there_is_no_second_plan(engineer: Client) -> None:
    place_plan(latitude=53.5, longitude=10.0, bearing=15.0)
    with pytest.raises(IntegrityError), transaction.atomic():
        SitePlan.objects.create(latitude=53.5, longitude=10.0)
    with pytest.raises(IntegrityError), transaction.atomic():
        SitePlan.objects.create(pk=SitePlan.ONLY, latitude=53.5, longitude=10.0)


@pytest.mark.django_db(transaction=True)
def test_two_plans_of_an_older_andon_become_the_one_that_was_shown() -> None:
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    MigrationExecutor(connection).migrate([("plant", "0006_document_permissions")])
    try:
        older = MigrationExecutor(connection).loader.project_state([("plant", "0006_document_permissions")]).apps
        plans, told = (older.get_model("plant", name).objects for name in ("SitePlan", "HistoricalSitePlan"))
        for number, latitude in ((7, 53.5), (8, 54.5)):
            plans.create(id=number, latitude=latitude, longitude=10.0)
            told.create(
                id=number, latitude=latitude, longitude=10.0, bearing=0.0, history_type="+", history_date=timezone.now()
            )
    finally:
        MigrationExecutor(connection).migrate(leaves)
    plan = SitePlan.objects.get()
    assert (plan.pk, plan.latitude, plan.history.count()) == (SitePlan.ONLY, 53.5, 1)


def test_outlines_that_name_an_unknown_asset_are_told(engineer: Client) -> None:
    feature = {"type": "Feature", "properties": {"asset": "pump-99"}, "geometry": json.loads(SQUARE)}
    upload(engineer, json.dumps(feature).encode())
    assert "pump-99" in engineer.get("/map/layers/").content.decode()
    # The map draws the outline all the same.
    assert engineer.get("/map/").context["ground"].page()["below"] == {}


def test_who_may_only_look_changes_nothing(browser: Client) -> None:
    factories.plant(machines=1)
    layer = add_outlines(name="Site", data=SQUARE)
    assert upload(browser, SQUARE).status_code == 403
    assert browser.post(f"/map/layers/{layer.pk}/delete").status_code == 403
    assert browser.post("/map/plan", {}).status_code == 403
    page = browser.get("/map/layers/")
    assert page.status_code == 200 and "may not change the map" in page.content.decode()
    assert browser.get(f"/map/layers/{layer.pk}/{layer.digest}").status_code == 200


def test_a_stranger_is_sent_to_the_door(client: Client, db: None) -> None:
    layer = add_outlines(name="Site", data=SQUARE)
    for address in ("/map/", "/map/tracks?span=1h", "/map/layers/", f"/map/layers/{layer.pk}/{layer.digest}"):
        assert client.get(address).status_code == 302
