"""Pictures of a site: real ones are written anew, anything else is refused."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.utils import translation
from PIL import Image

from plant.site import picture
from plant.site.geojson import Unusable


def drawn(size: tuple[int, int] = (300, 200), kind: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    held = io.BytesIO()
    Image.new(mode, size, 90 if mode == "L" else (90, 120, 60, 40)[: len(mode)]).save(held, kind, **options)
    return held.getvalue()


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "L"), ("JPEG", "RGB"), ("WEBP", "RGB")])
def test_a_picture_is_written_anew(kind: str, mode: str) -> None:
    found = picture.read(drawn(kind=kind, mode=mode))
    assert (found.width, found.height) == (300, 200)
    with Image.open(io.BytesIO(found.content)) as kept:
        assert (kept.format, kept.size) == ("WEBP", (300, 200))
        assert (kept.mode == "RGBA") == (mode == "RGBA")


def test_nothing_but_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken by somebody at 53.5512, 9.9937"
    sent = drawn(kind="JPEG", exif=exif, comment=b"<script>")
    assert b"somebody" in sent and b"<script>" in sent
    kept = picture.read(sent).content
    assert b"somebody" not in kept and b"<script>" not in kept


def test_a_picture_that_lies_on_its_side_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = picture.read(drawn(kind="JPEG", exif=exif))
    assert (found.width, found.height) == (200, 300)


def test_a_large_picture_is_made_smaller() -> None:
    found = picture.read(drawn((8192, 100)))
    assert (found.width, found.height) == (4096, 50)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cannot be opened|can be opened"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "can be opened"),
        (drawn()[:-40], "can be opened"),
        (drawn(kind="GIF", mode="L"), "can be opened"),
        (drawn((6000, 5000), mode="L"), "6000 × 5000 pixels; 25 million is the most"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * (8 * 1024 * 1024), "larger than 8 MiB"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, words: str) -> None:
    with translation.override("en"), pytest.raises(Unusable, match=words) as english:
        picture.read(data)
    with translation.override("de"), pytest.raises(Unusable) as german:
        picture.read(data)
    assert str(german.value) != str(english.value)
