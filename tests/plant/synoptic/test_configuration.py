"""Synoptics in plant.yaml: in and out, byte for byte the same."""

from __future__ import annotations

from typing import Any

import pytest

from devices import configuration
from devices.configuration import ConfigurationError
from devices.models import Asset
from plant.demo.drawings import DRAWINGS, FOLDER
from plant.models import Synoptic
from plant.synoptic import services
from tests import factories
from tests.plant.synoptic.vectors import VECTORS

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(clean_redis: Any) -> Asset:
    """Gives a line with a press."""
    factories.plant(machines=1)
    return Asset.objects.get(code="line-1")


@pytest.mark.parametrize("file", [FOLDER / f"{code}.svg" for code, _name, _asset in DRAWINGS])
def test_export_import_export_gives_the_same_bytes(line: Asset, file: Any) -> None:
    row = services.create_synoptic(name="Line: 1", asset=line, file=file.read_bytes())
    text = configuration.dump()
    before = (row.drawing, row.original)
    assert configuration.load(text, prune=True).nothing
    Synoptic.objects.all().delete()
    report = configuration.load(text, prune=True)
    assert report.created == {"synoptics": 1}
    made = Synoptic.objects.get()
    assert ((made.drawing, made.original), made.asset_id) == (before, line.pk)
    assert configuration.dump() == text


def test_any_drawing_comes_back_as_it_was(line: Asset) -> None:
    for number, file in enumerate(VECTORS.values()):
        services.create_synoptic(name=f"Vector {number}", asset=line, file=file.encode())
    text = configuration.dump()
    assert configuration.load(text, prune=True).nothing
    Synoptic.objects.all().delete()
    configuration.load(text, prune=True)
    assert configuration.dump() == text


FILE = """
synoptics:
  - code: line-1
    name: Line 1
    asset: line-1
    drawing: |
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"
           onload="alert(1)">
        <text x="1" data-sensor="press-1-1/temp">x</text>
      </svg>
"""


def test_a_drawing_that_was_written_by_hand_is_cleaned_as_an_upload_is(line: Asset) -> None:
    assert configuration.load(FILE).created == {"synoptics": 1}
    assert "onload" not in Synoptic.objects.get().drawing
    assert configuration.load(FILE).nothing
    assert configuration.load("sources: []\n", prune=False).nothing
    assert Synoptic.objects.exists()  # what a file does not mention stays


def test_errors_name_their_line(line: Asset) -> None:
    wrong = FILE.replace("asset: line-1", "asset: line-7").replace("</svg>", "</g>").replace("name: Line 1", "nam: x")
    with pytest.raises(ConfigurationError) as refusal:
        configuration.load(f"{wrong}    original: x\n")
    assert [str(error) for error in refusal.value.errors] == [
        "line 4: synoptic 'line-1': unknown key 'nam'; did you mean name?",
        "line 5: synoptic 'line-1': unknown asset 'line-7'; did you mean line-1?",
        "line 6: synoptic 'line-1': drawing (line 4 of it): This is not an SVG file: mismatched tag.",
        "line 11: synoptic 'line-1': original is the SHA-256 of the file, 64 hexadecimal digits.",
    ]


def test_pruning_takes_away_what_the_file_does_not_mention(line: Asset) -> None:
    services.create_synoptic(name="Line", asset=line, file=(FOLDER / "oven-line.svg").read_bytes())
    text = configuration.dump()
    cut = text[: text.index("synoptics:")]
    assert configuration.load(cut, prune=True).deleted == {"synoptics": 1}
