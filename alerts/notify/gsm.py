"""The alphabet and the size of text messages. Source: 3GPP TS 23.038 (GSM 03.38) and TS 23.040 for parts."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = frozenset("\f^{}\\[~]|€")  # escaped: two septets each

# One message, and each part of a longer one beside its six bytes of header.
SEPTETS: Final = (160, 153)
CODE_UNITS: Final = (70, 67)

# What plants write and the alphabet lacks.
_PLAIN: Final = {
    "°C": "degC",
    "°F": "degF",
    "°": "deg",
    "µ": "u",
    "μ": "u",
    "‰": "per mille",
    "×": "x",
    "·": ".",
    "•": "-",
    "–": "-",
    "—": "-",
    "‑": "-",
    "−": "-",
    "’": "'",
    "‘": "'",
    "‚": ",",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "…": "...",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "→": "->",
    "←": "<-",
    "δ": "d",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ı": "i",
    "œ": "oe",
    "Œ": "OE",
    "\t": " ",
}


class Encoding(StrEnum):
    """How a message travels."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


class Size(NamedTuple):
    """A message's encoding, its length in septets or code units, and the number of parts it is sent (and paid) in."""

    encoding: Encoding
    units: int
    parts: int


def segments(text: str) -> Size:
    """Gives the size of a text. An escaped character or a surrogate pair is never torn between two parts."""
    if all(character in BASIC or character in EXTENSION for character in text):
        widths = [2 if character in EXTENSION else 1 for character in text]
        return Size(Encoding.GSM7, sum(widths), _parts(widths, *SEPTETS))
    widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return Size(Encoding.UCS2, sum(widths), _parts(widths, *CODE_UNITS))


def _parts(widths: list[int], single: int, part: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts


def to_gsm(text: str) -> str:
    """Writes a text in the alphabet where that keeps its sense: °C becomes degC, m³ m3, é stays, ő becomes o.

    Letters of other scripts stay: the whole message then travels as UCS-2, which is dearer and right.
    """
    for sign, plain in _PLAIN.items():
        text = text.replace(sign, plain)
    return "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character in BASIC or character in EXTENSION:
        return character
    bare = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    return bare if bare and all(part in BASIC for part in bare) else character


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a message. Rank 0 stays; of the others the highest goes first. `least` characters stay of one cut."""

    text: str
    rank: int = 0
    least: int | None = None


def fit(pieces: Sequence[Piece]) -> str:
    """Joins pieces to a message of one part where that can be: drops by rank, then cuts what may be cut.

    Where even that is too long, the message goes in as many parts as it needs: nothing of rank 0 is lost.
    """
    pieces = [Piece(to_gsm(piece.text), piece.rank, piece.least) for piece in pieces if piece.text]
    for rank in sorted({piece.rank for piece in pieces if piece.rank}, reverse=True):
        if _single(pieces):
            break
        pieces = [piece for piece in pieces if piece.rank != rank]
    for index, piece in enumerate(pieces):
        if piece.least is None or _single(pieces):
            continue
        for length in range(len(piece.text) - 1, piece.least - 1, -1):
            pieces[index] = Piece(piece.text[:length].rstrip() + "...", piece.rank)
            if _single(pieces):
                break
    return _joined(pieces)


def _joined(pieces: Sequence[Piece]) -> str:
    return " ".join(piece.text for piece in pieces)


def _single(pieces: Sequence[Piece]) -> bool:
    return segments(_joined(pieces)).parts == 1
