"""The pages of synoptics: the list, one of them, uploading, taking back."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alarm
from devices import services as plant_services
from devices.models import Asset, Level, Sensor
from plant.models import Synoptic
from plant.pages.synoptics import Mimic
from plant.pages.tree import tree
from plant.synoptic import services
from tests import factories
from tests.plant.synoptic.vectors import drawing

RaiseAlarm = Callable[..., Alarm]
BUDGET = 26
PRESS = (
    '<g data-asset="press-1-1" data-alarm="press-1-1"><rect data-bind="fill" width="9" height="9"/></g>'
    '<text data-sensor="press-1-1/temp">00.0</text>'
)


@pytest.fixture
def press(browser: Client) -> Asset:
    """Gives a press with a temperature."""
    machine = factories.plant(machines=2)[0]
    factories.sensor(machine)
    factories.rule(machine)
    return machine


def draw(inside: str = PRESS, *, name: str = "Line 1", asset: str = "line-1") -> Synoptic:
    """Uploads a drawing of the line."""
    return services.create_synoptic(name=name, asset=Asset.objects.get(code=asset), file=drawing(inside).encode())


def show(client: Any, sensor: Sensor, value: float, *, seconds_ago: float = 0.5) -> None:
    """Writes a newest reading as a drain does."""
    at = int((time.time() - seconds_ago) * 1e6)
    client.hset(f"andon:latest:{sensor.asset.shard}", str(sensor.pk), struct.pack("<qdB", at, value, 0))


def mimic(row: Synoptic) -> Mimic:
    plant = tree()
    return Mimic(plant, row, plant.nodes[row.asset_id], timezone.now())


def page(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


# --- One synoptic ----------------------------------------------------------------------------------------------------


def test_the_page_costs_the_same_number_of_queries_for_2_and_for_300_bound_elements(
    press: Asset, browser: Client, raise_alarm: RaiseAlarm
) -> None:
    def queries(row: Synoptic) -> list[str]:
        page(browser, f"/synoptics/{row.pk}/")
        with CaptureQueriesContext(connection) as captured:
            page(browser, f"/synoptics/{row.pk}/")
        return [query["sql"][:160] for query in captured.captured_queries]

    few = queries(draw())
    keys = [f"more-{number}" for number in range(300)]
    Sensor.objects.bulk_create(Sensor(asset=press, key=key, name=key, interval=1.0) for key in keys)
    raise_alarm(press)
    plant_services.bump("plant")
    many = queries(draw("".join(f'<text data-sensor="press-1-1/{key}">x</text>' for key in keys), name="Many"))
    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= BUDGET, "\n".join(many)


def test_the_drawing_stands_in_the_page_with_what_its_script_needs(press: Asset, browser: Client) -> None:
    row = draw()
    text = page(browser, f"/synoptics/{row.pk}/")
    assert '<svg class="sy-draw" role="group" aria-label="Line 1" xmlns="http://www.w3.org/2000/svg"' in text
    assert 'data-subscribe="[&quot;press-1-1&quot;]"' in text
    facts = mimic(row).facts
    assert facts["bindings"] == [
        {"asset": "press-1-1", "alarm": {"asset": "press-1-1", "sensor": "", "rule": ""}, "corner": "top-right"},
        {"follows": "press-1-1", "ways": ("fill",)},
        {"sensor": "press-1-1/temp", "ways": ("text",)},
    ]
    assert facts["sensors"]["press-1-1/temp"]["unit"] == "°C"
    assert facts["sensors"]["press-1-1/temp"]["decimals"] == 1
    assert facts["assets"]["press-1-1"]["parts"] == ["press-1-1"]
    assert facts["assets"]["line-1"]["parts"] == ["line-1", "press-1-1", "press-1-2"]


def test_every_value_stands_in_words_below_the_drawing(
    press: Asset, browser: Client, clean_redis: Any, raise_alarm: RaiseAlarm
) -> None:
    row = draw()
    show(clean_redis, press.sensors.get(), 91.26)
    raise_alarm(press)
    (group,) = mimic(row).groups
    assert (group.node.code, group.state.kind if group.state else "") == ("press-1-1", "reporting")
    ((sensor, value),) = group.values
    assert (sensor.tag, value.text, value.priority, value.stale) == ("press-1-1/temp", "91.3", 2, False)
    assert 'data-tag="press-1-1/temp"' in page(browser, f"/synoptics/{row.pk}/")


def test_a_value_that_is_old_looks_old_in_the_list(press: Asset, browser: Client, clean_redis: Any) -> None:
    show(clean_redis, press.sensors.get(), 91.26, seconds_ago=60)
    ((_sensor, value),) = mimic(draw()).groups[0].values
    assert value.stale


def test_the_state_is_told_by_the_sensor_that_tells_it_on_every_page(press: Asset, browser: Client) -> None:
    # The tree has the arm first, the press has the smaller number: pages go by that.
    tells = {"quantity": "state", "unit": "", "range_low": None, "range_high": None, "labels": {"1": "execute"}}
    grip = plant_services.create_asset(code="grip", name="Grip", level=Level.MODULE, parent=press)
    arm = plant_services.create_asset(code="arm", name="Arm", level=Level.MODULE, parent=press)
    for part in (arm, grip):
        factories.sensor(part, "state", **tells)
    row = draw()
    assert mimic(row).facts["assets"]["press-1-1"]["tag"] == "grip/state"
    cell = tree().by_code["press-1-1"]
    teller = tree().tells_state[cell.pk]
    assert (tree().nodes[teller.asset].code, teller.key) == ("grip", "state")
    assert "grip/state" in page(browser, "/a/hall/line-1/press-1-1/").split('id="judged-by"')[1].split("</script>")[0]


def test_an_unknown_binding_is_drawn_as_such_and_breaks_nothing(press: Asset, browser: Client) -> None:
    row = draw('<text data-sensor="press-1-1/heat">x</text><g data-asset="gone"/><rect data-alarm="press-1-1: Cold"/>')
    assert [one["unknown"] for one in mimic(row).facts["bindings"]] == ["press-1-1/heat", "gone", "press-1-1: Cold"]
    page(browser, f"/synoptics/{row.pk}/")


def test_while_redis_is_away_the_drawing_is_there(
    press: Asset, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import redis

    def away(*_: Any) -> Any:
        raise redis.ConnectionError("away")

    monkeypatch.setattr("devices.telemetry.latest.read_shards", away)
    assert "sy-draw" in page(browser, f"/synoptics/{draw().pk}/")


def test_what_a_drawing_says_cannot_leave_its_place_in_the_page(press: Asset, browser: Client) -> None:
    row = draw(
        '<text data-sensor="press-1-1/temp" data-format="&lt;/script>&lt;img src=x>{value}">x</text>', name="<b>"
    )
    text = page(browser, f"/synoptics/{row.pk}/")
    assert "<img" not in text and "<b>&lt;" not in text and 'aria-label="&lt;b&gt;"' in text


def test_there_is_no_page_of_a_synoptic_that_is_not_there(press: Asset, browser: Client) -> None:
    assert browser.get("/synoptics/99/").status_code == 404
    assert browser.get("/synoptics/99/preview.svg").status_code == 404


# --- The list, and the ways there ------------------------------------------------------------------------------------


def test_the_list_costs_the_same_number_of_queries_for_1_and_for_30(press: Asset, browser: Client) -> None:
    def queries() -> int:
        page(browser, "/synoptics/")
        with CaptureQueriesContext(connection) as captured:
            page(browser, "/synoptics/")
        return len(captured.captured_queries)

    draw()
    few = queries()
    for number in range(29):
        draw(name=f"More {number}")
    assert queries() == few


def test_the_list_goes_by_area_and_its_pictures_by_version(press: Asset, browser: Client) -> None:
    assert "No synoptics yet" in page(browser, "/synoptics/")
    row = draw()
    text = page(browser, "/synoptics/")
    assert "Hall" in text and f"/synoptics/{row.pk}/preview.svg?v={row.history.get().history_id}&amp;theme=" in text
    services.update_synoptic(synoptic=row, name="Line one", reason="so it is called")
    assert f"?v={row.history.latest().history_id}&amp;" in page(browser, "/synoptics/")


def test_a_preview_is_a_picture_by_itself_that_may_do_nothing(press: Asset, browser: Client) -> None:
    row = draw()
    answer = browser.get(f"/synoptics/{row.pk}/preview.svg?theme=light")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/svg+xml", "nosniff")
    assert answer["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
    )
    text = answer.content.decode()
    assert '<svg class="sy-draw preview" data-theme="light"' in text and "--p1: #cf1124" in text
    assert 'data-theme="x' not in browser.get(f'/synoptics/{row.pk}/preview.svg?theme=x"').content.decode()


def test_an_areas_page_leads_to_the_synoptics_of_it_and_of_its_lines(press: Asset, browser: Client) -> None:
    row = draw()
    plant_services.create_asset(code="yard", name="Yard", level="area", parent=Asset.objects.get(code="works"))
    link = f'href="/synoptics/{row.pk}/"'
    assert link in page(browser, "/a/hall/") and link in page(browser, "/a/hall/line-1/")
    assert link not in page(browser, "/a/yard/")


def test_a_stranger_is_sent_to_the_door(press: Asset) -> None:
    row = draw()
    for address in ("/synoptics/", f"/synoptics/{row.pk}/", f"/synoptics/{row.pk}/preview.svg", "/synoptics/new/"):
        answer = Client().get(address)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in")


# --- Uploading -------------------------------------------------------------------------------------------------------


@pytest.fixture
def engineer(client: Client, press: Asset) -> Client:
    """Gives the browser of somebody who may draw."""
    from plant.roles import ensure_roles

    ensure_roles()
    client.force_login(factories.engineer())
    return client


def upload(inside: str, **fields: str) -> dict[str, Any]:
    """Gives what the form sends."""
    file = SimpleUploadedFile("line.svg", drawing(inside).encode(), content_type="image/svg+xml")
    return {"name": "Line 1", "asset": "line-1", "reason": "", "file": file, **fields}


def test_an_upload_is_there_at_once(engineer: Client) -> None:
    answer = engineer.post("/synoptics/new/", upload(PRESS), follow=True)
    row = Synoptic.objects.get()
    assert answer.redirect_chain[-1][0] == f"/synoptics/{row.pk}/"
    assert row.history.get().history_user.username == "engineer"


def test_an_upload_with_something_amiss_goes_to_the_remarks_first(engineer: Client) -> None:
    answer = engineer.post("/synoptics/new/", upload("<script/>\n<text data-sensor='a/b'>x</text>"), follow=True)
    text = answer.content.decode()
    assert "&lt;script&gt; was left out." in text and "The plant has no a/b" in text


def test_a_refused_upload_keeps_what_was_typed(engineer: Client) -> None:
    answer = engineer.post("/synoptics/new/", upload("<g>", name="My line"))
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "This is not an SVG file" in text and 'value="My line"' in text and not Synoptic.objects.exists()
    assert "Choose the SVG file." in engineer.post("/synoptics/new/", {"name": "x", "asset": "line-1"}).content.decode()


def test_a_file_that_is_too_large_is_not_read_further(engineer: Client) -> None:
    answer = engineer.post("/synoptics/new/", upload(f"<desc>{'x' * 2_000_000}</desc>"))
    assert answer.status_code == 400
    assert "larger than 1024 KiB" in answer.content.decode()


def test_a_change_needs_a_reason_and_can_be_taken_back(engineer: Client) -> None:
    row = draw()
    address, first = f"/synoptics/{row.pk}/change/", row.history.get().history_id
    assert "Say why." in engineer.post(address, upload("<rect/>")).content.decode()
    engineer.post(address, upload("<rect/>", reason="new drawing", seen=first))
    row.refresh_from_db()
    assert "<rect/>" in row.drawing
    assert "new drawing" in page(engineer, address)
    engineer.post(f"/synoptics/{row.pk}/take-back/{first}", {"reason": ""})
    row.refresh_from_db()
    assert "press-1-1/temp" in row.drawing and row.history.count() == 3


def test_a_change_without_a_file_keeps_the_drawing(engineer: Client) -> None:
    row = draw()
    before, seen = row.drawing, {"seen": str(row.history.get().history_id)}
    engineer.post(f"/synoptics/{row.pk}/change/", {**seen, "name": "Other", "asset": "hall", "reason": "moved"})
    row.refresh_from_db()
    assert (row.name, row.asset.code, row.drawing) == ("Other", "hall", before)


def test_who_writes_on_a_form_that_somebody_has_overtaken_is_told_and_loses_nothing(engineer: Client) -> None:
    row = draw()
    address, first = f"/synoptics/{row.pk}/change/", row.history.get().history_id
    assert f'name="seen" value="{first}"' in page(engineer, address)
    services.update_synoptic(synoptic=row, name="Theirs", reason="first")
    written = {"name": "Mine", "asset": "hall", "reason": "second", "seen": str(first)}
    answer = engineer.post(address, written)
    text = answer.content.decode()
    assert answer.status_code == 409 and "Somebody has changed this synoptic meanwhile" in text and "Mine" in text
    for nonsense in ("9" * 5000, "9" * 4000):  # longer than Python reads, and than a database has
        assert engineer.post(address, {**written, "seen": nonsense}).status_code == 409
    row.refresh_from_db()
    assert row.name == "Theirs"
    engineer.post(address, {**written, "seen": str(row.history.latest().history_id)})
    row.refresh_from_db()
    assert row.name == "Mine"


def test_who_may_only_look_changes_nothing(press: Asset, client: Client) -> None:
    row = draw()
    client.force_login(factories.viewer())
    assert "Upload a drawing" not in page(client, "/synoptics/")
    for address in ("/synoptics/new/", f"/synoptics/{row.pk}/change/", f"/synoptics/{row.pk}/take-back/1"):
        assert client.post(address, upload(PRESS)).status_code == 403
    assert (Synoptic.objects.count(), row.history.count()) == (1, 1)
