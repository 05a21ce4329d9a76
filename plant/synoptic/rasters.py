"""Pictures inside a drawing: PNG and JPEG, small, and no larger when unpacked than they say."""

import base64
import binascii
import re
import struct

MAX_BYTES = 256 * 1024
MAX_SIDE = 4096  # pixels

_DATA = re.compile(r"data:image/(?:png|jpe?g);base64,([A-Za-z0-9+/=\s]+)\Z")
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"


def picture(address: str) -> str | None:
    """Gives a picture's address as it may stand in a drawing, or None for anything else than a small picture."""
    found = _DATA.match(address.strip())
    if found is None or len(found[1]) > MAX_BYTES * 3 // 2:
        return None
    try:
        data = base64.b64decode("".join(found[1].split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    sides = _png(data) or _jpeg(data)
    if sides is None or len(data) > MAX_BYTES or not all(0 < side <= MAX_SIDE for side in sides):
        return None
    kind = "png" if data.startswith(_PNG) else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _png(data: bytes) -> tuple[int, int] | None:
    """Gives width and height. Source: PNG, 11.2.2: IHDR is the first chunk."""
    if not data.startswith(_PNG) or data[12:16] != b"IHDR" or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Gives width and height of the first frame. Source: ITU-T T.81, B.2.2."""
    if not data.startswith(_JPEG):
        return None
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None
