"""What people say about a time: everybody reads it, each changes their own, and nothing is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from devices import annotating
from devices.models import Annotation, Asset
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADDRESS = "/api/v1/annotations"


@pytest.fixture
def press() -> Asset:
    """Gives a machine with a sensor."""
    press = factories.plant(machines=2)[0]
    factories.sensor(press)
    return press


def ask(client: Client, method: str, address: str, **body: Any) -> Any:
    return client.generic(method, address, json.dumps(body), content_type="application/json")


def test_annotations_that_meet_a_range_are_found(press: Asset) -> None:
    by, sensor = factories.operator(), press.sensors.get()
    other = factories.sensor(press, "oil")
    for start, end, text in ((0, 1, "before"), (1, 3, "across"), (2, 2, "an instant"), (5, 6, "after")):
        annotating.annotate(asset=press, sensor=sensor, start=AT + start * HOUR, end=AT + end * HOUR, text=text, by=by)
    annotating.annotate(asset=press, start=AT + 2 * HOUR, end=AT + 2 * HOUR, text="of the machine", by=by)
    wanted = (AT + 1.5 * HOUR, AT + 4 * HOUR)
    told = [row.text for row in annotating.between(*wanted, assets=[press.pk])]
    assert told == ["across", "an instant", "of the machine"]
    assert [row.text for row in annotating.between(*wanted, sensors=[sensor.pk])] == ["across", "an instant"]
    assert list(annotating.between(*wanted, sensors=[other.pk])) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "  "}, "text is missing"),
        ({"text": "x" * 501}, "500 is the most"),
        ({"end": AT - HOUR}, "ends before it starts"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(press: Asset, fields: dict[str, Any], words: str) -> None:
    values = {"asset": press, "start": AT, "end": AT, "text": "Fine", "by": factories.operator(), **fields}
    with pytest.raises(ValidationError, match=words):
        annotating.annotate(**values)


def test_a_sensor_of_another_machine_is_refused(press: Asset) -> None:
    neighbour = Asset.objects.get(code="press-1-2")
    with pytest.raises(ValidationError, match="is no sensor of press-1-2"):
        annotating.annotate(
            asset=neighbour, sensor=press.sensors.get(), start=AT, end=AT, text="No", by=factories.operator()
        )


def test_only_the_writer_changes_and_deletes(press: Asset) -> None:
    by = factories.operator()
    made = annotating.annotate(asset=press, start=AT, end=AT, text="Mine", by=by)
    for verb in (annotating.change_annotation, annotating.remove_annotation):
        with pytest.raises(PermissionDenied):
            verb(annotation_id=made.pk, by=factories.operator("other" + verb.__name__))
    kept = annotating.change_annotation(annotation_id=made.pk, by=by, end=AT + HOUR, text="Still mine")
    assert (kept.text, kept.start, kept.end) == ("Still mine", AT, AT + HOUR)
    annotating.remove_annotation(annotation_id=made.pk, by=by)
    assert not Annotation.objects.exists()


def test_over_http_a_note_is_written_read_changed_and_deleted_with_its_history(press: Asset, client: Client) -> None:
    person = factories.operator()
    client.force_login(person)
    answer = ask(client, "POST", ADDRESS, sensor="press-1-1/temp", start="2026-03-01T06:00:00Z", text=" Strainer open ")
    assert answer.status_code == 201
    note = answer.json()
    assert note == {
        "id": note["id"],
        "asset": "press-1-1",
        "sensor": "press-1-1/temp",
        "start": "2026-03-01T06:00:00.000000Z",
        "end": "2026-03-01T06:00:00.000000Z",
        "text": "Strainer open",
        "person": "Olga Operator",
        "own": True,
    }
    found = client.get(ADDRESS, {"asset": "press-1-1", "start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"})
    assert found.json() == {"items": [note]}
    own = f"{ADDRESS}/{note['id']}"
    assert ask(client, "PATCH", own, end="2026-03-01T07:00:00Z").json()["end"] == "2026-03-01T07:00:00.000000Z"
    assert ask(client, "PATCH", own, end="2026-03-01T05:00:00Z").status_code == 422
    assert client.delete(own).status_code == 204
    assert client.delete(own).status_code == 404
    history = [(row.history_type, row.history_user) for row in Annotation.history.order_by("history_id")]
    assert history == [("+", person), ("~", person), ("-", person)]


def test_over_http_others_and_viewers_may_only_read(press: Asset, client: Client) -> None:
    made = annotating.annotate(asset=press, start=AT, end=AT, text="Mine", by=factories.operator())
    body = {"asset": "press-1-1", "start": "2026-03-01T06:00:00Z", "text": "Yours"}
    client.force_login(factories.operator("other"))
    assert ask(client, "PATCH", f"{ADDRESS}/{made.pk}", text="Yours").status_code == 403
    assert client.delete(f"{ADDRESS}/{made.pk}").status_code == 403
    client.force_login(factories.viewer())
    assert ask(client, "POST", ADDRESS, **body).status_code == 403
    found = client.get(ADDRESS, {"asset": "press-1-1", "start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"})
    assert [(row["text"], row["own"]) for row in found.json()["items"]] == [("Mine", False)]


def test_over_http_a_time_without_offset_and_an_unknown_place_are_refused(press: Asset, client: Client) -> None:
    client.force_login(factories.operator())
    for body in (
        {"asset": "press-1-1", "start": "2026-03-01T06:00:00"},
        {"asset": "nowhere", "start": "2026-03-01T06:00:00Z"},
    ):
        assert ask(client, "POST", ADDRESS, text="No", **body).status_code == 422
    unknown = {"sensor": "press-1-1/none", "start": "2026-03-01T06:00:00Z", "text": "No"}
    assert ask(client, "POST", ADDRESS, **unknown).status_code == 404


@pytest.mark.parametrize("name", ["asset", "sensor"])
def test_more_places_than_one_answer_takes_are_refused(press: Asset, name: str) -> None:
    client = Client()
    client.force_login(factories.viewer())
    fields = {"start": AT.isoformat(), "end": (AT + HOUR).isoformat(), name: ["press-1-1/temp"] * 300}
    assert client.get(ADDRESS, fields).status_code == 422


@pytest.mark.parametrize("unknown", [{"asset": "none"}, {"sensor": "press-1-1/none"}, {"asset": ["press-1-1", "none"]}])
def test_over_http_an_unknown_asset_answers_like_an_unknown_sensor(
    press: Asset, client: Client, unknown: dict[str, Any]
) -> None:
    client.force_login(factories.viewer())
    wanted = {"start": "2026-03-01T06:00:00Z", "end": "2026-03-01T07:00:00Z"}
    assert client.get(ADDRESS, {**wanted, "asset": "press-1-1", "sensor": "press-1-1/temp"}).status_code == 200
    assert client.get(ADDRESS, {**wanted, **unknown}).status_code == 404
