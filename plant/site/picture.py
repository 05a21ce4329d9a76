"""A picture of a site: checked to be one, and written anew, so that nothing but its pixels is kept."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from plant.site.geojson import Unusable

MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 25_000_000  # 100 MB while it is open
LONGEST_EDGE = 4096  # pixels, of what is kept
FORMATS = ("PNG", "JPEG", "WEBP")
MEDIA_TYPE = "image/webp"
_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept."""

    content: bytes
    width: int
    height: int


def read(data: bytes) -> Picture:
    """Opens a PNG, JPEG or WebP and gives it as WebP of at most 4096 pixels an edge, without anything but pixels.

    Raises: Unusable.
    """
    if len(data) > MOST_BYTES:
        raise Unusable(_("The picture is larger than %(most)d MiB.") % {"most": MOST_BYTES // 1024 // 1024})
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            wide, high = opened.size
            if wide * high > MOST_PIXELS:
                words = _("The picture has %(wide)d × %(high)d pixels; %(most)d million is the most.")
                raise Unusable(words % {"wide": wide, "high": high, "most": MOST_PIXELS // 1_000_000})
            opened.load()
            turned = ImageOps.exif_transpose(opened) or opened
            clear = "A" in turned.getbands() or "transparency" in turned.info
            picture = turned.convert("RGBA" if clear else "RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, struct.error):
        raise Unusable(_("The file is not a picture that can be opened; send a PNG, JPEG or WebP.")) from None
    picture.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    # A new picture of the same pixels: whatever else the file carried stays behind.
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    kept = io.BytesIO()
    bare.save(kept, "WEBP", quality=_QUALITY)
    return Picture(kept.getvalue(), *bare.size)
