"""Synoptics are stored clean, with who, when and why, and a bad one is taken back."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from devices import services as plant_services
from devices.models import Asset
from plant.models import Synoptic
from plant.synoptic import services
from tests import factories
from tests.plant.synoptic.vectors import BOMBS, drawing

pytestmark = pytest.mark.django_db
FILE = drawing('<text data-sensor="press-1-1/temp" onclick="alert(1)">00.0</text>').encode()


@pytest.fixture
def line(clean_redis: Any) -> Asset:
    """Gives a line with a press."""
    factories.sensor(factories.plant(machines=1)[0])
    return Asset.objects.get(code="line-1")


def test_what_is_stored_is_the_cleaned_drawing_and_the_files_hash(line: Asset) -> None:
    row = services.create_synoptic(name="Line 1", asset=line, file=FILE, reason="new line")
    assert (row.code, row.original) == ("line-1", sha256(FILE).hexdigest())
    assert "onclick" not in row.drawing and 'data-sensor="press-1-1/temp"' in row.drawing
    assert row.remarks == [[1, "onclick was left out: a drawing runs no script."]]
    assert row.history.get().history_change_reason == "new line"


def test_a_change_writes_on_what_is_stored_and_not_on_what_was_read_before(line: Asset) -> None:
    read = services.create_synoptic(name="Line 1", asset=line, file=FILE)
    mine = Synoptic.objects.get(pk=read.pk)
    services.update_synoptic(synoptic=read, file=drawing("<rect/>").encode(), reason="theirs")
    services.update_synoptic(synoptic=mine, name="Line one", reason="mine")
    stored = Synoptic.objects.get(pk=read.pk)
    assert (stored.name, "<rect" in stored.drawing) == ("Line one", True)


def test_two_of_one_name_have_two_codes(line: Asset) -> None:
    codes = [services.create_synoptic(name="Line 1", asset=line, file=FILE).code for _ in range(3)]
    assert codes == ["line-1", "line-1-2", "line-1-3"]
    assert services.create_synoptic(name="Übersicht ☃", asset=line, file=FILE).code == "ubersicht"
    assert services.create_synoptic(name="☃", asset=line, file=FILE).code == "synoptic"


def test_a_binding_that_leads_to_nothing_is_told_with_its_line_and_kept(line: Asset) -> None:
    file = drawing(
        '\n<text data-sensor="press-1-1/heat">x</text>\n<g data-asset="press-9"/>\n<rect data-alarm="press-1-1: Hot"/>'
        '\n<rect data-sensor="press-1-1/temp" data-bind="fill"/>'
    ).encode()
    row = services.create_synoptic(name="Line", asset=line, file=file)
    assert row.remarks == [
        [2, "The plant has no press-1-1/heat: the element is drawn as unknown."],
        [3, "The plant has no press-9: the element is drawn as unknown."],
        [4, "The plant has no press-1-1: Hot: the element is drawn as unknown."],
        [5, "press-1-1/temp is a number: say with data-when when the element is filled."],
    ]
    factories.rule(Asset.objects.get(code="press-1-1"), "Hot")
    row = services.update_synoptic(synoptic=row, file=file, reason="again")
    assert [line_ for line_, _words in row.remarks] == [2, 3, 5]


def test_a_word_that_the_sensor_does_not_know_is_told(line: Asset) -> None:
    press = Asset.objects.get(code="press-1-1")
    factories.sensor(
        press, "state", quantity="state", unit="", range_low=None, range_high=None, labels={"1": "running"}
    )
    file = drawing('<rect data-sensor="press-1-1/state" data-bind="fill" data-when="Running, rests"/>').encode()
    row = services.create_synoptic(name="Line", asset=line, file=file)
    assert [words for _, words in row.remarks] == ["press-1-1/state has no value that is called “rests”."]


@pytest.mark.parametrize("name", ["billion laughs", "uses of uses", "no XML"])
def test_a_refused_file_leaves_nothing_behind_and_the_old_drawing_in_force(line: Asset, name: str) -> None:
    with pytest.raises(ValidationError):
        services.create_synoptic(name="Line", asset=line, file=BOMBS[name].encode())
    assert not Synoptic.objects.exists()
    row = services.create_synoptic(name="Line", asset=line, file=FILE)
    before = row.drawing
    with pytest.raises(ValidationError):
        services.update_synoptic(synoptic=row, file=BOMBS[name].encode(), reason="worse")
    row.refresh_from_db()
    assert (row.drawing, row.history.count()) == (before, 1)


def test_what_lacks_something_is_refused_in_words(line: Asset) -> None:
    with pytest.raises(ValidationError) as refusal:
        services.create_synoptic(name=" ", asset=None, file=b"no drawing")
    assert set(refusal.value.message_dict) == {"name", "asset", "file"}


def test_a_bad_upload_is_taken_back_by_a_version_of_its_own(line: Asset) -> None:
    row = services.create_synoptic(name="Line", asset=line, file=FILE)
    first = row.history.latest().history_id
    good = (row.drawing, row.original)
    services.update_synoptic(synoptic=row, file=drawing("<rect/>").encode(), name="Wrong", reason="oops")
    row = services.take_back(synoptic=row, number=first, reason="the wrong file")
    assert ((row.drawing, row.original), row.name) == (good, "Line")
    assert [version.history_change_reason for version in row.history.all()] == ["the wrong file", "oops", "uploaded"]
    assert (
        services.take_back(synoptic=row, number=first).history.latest().history_change_reason.startswith("back to the")
    )


def test_there_is_no_going_back_to_another_synoptics_version(line: Asset) -> None:
    row = services.create_synoptic(name="Line", asset=line, file=FILE)
    other = services.create_synoptic(name="Other", asset=line, file=FILE)
    with pytest.raises(ValidationError, match="no such version"):
        services.take_back(synoptic=row, number=other.history.get().history_id)


def test_a_version_whose_asset_is_gone_does_not_come_back(line: Asset) -> None:
    other = plant_services.create_asset(code="line-2", name="Line 2", level="line", parent=line.parent)
    row = services.create_synoptic(name="Line", asset=other, file=FILE)
    first = row.history.get().history_id
    services.update_synoptic(synoptic=row, asset=line, reason="moved")
    plant_services.delete_asset(asset=other)
    with pytest.raises(ValidationError, match="no longer in the plant"):
        services.take_back(synoptic=row, number=first)


def test_what_does_not_change_makes_no_version(line: Asset) -> None:
    row = services.create_synoptic(name="Line", asset=line, file=FILE)
    services.update_synoptic(synoptic=row, name="Line", asset=line, reason="nothing")
    assert row.history.count() == 1
