"""Small charts: sparkline, bar, columns, the parts of a whole."""

import json
import math
from collections.abc import Iterable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe


def spark(
    values: Iterable[float | None],
    *,
    normal: tuple[float, float] | None = None,
    limit: float | None = None,
    below: bool = False,
    alarm: int | None = None,
    tag: str = "",
    width: int = 120,
    height: int = 24,
) -> SafeString:
    """Gives a sparkline: normal band behind, what is past the limit in the priority's colour; gaps stay gaps.

    Takes: the sensor's tag, with which static/js/ui/sparks.js lets it go on.
    """
    points = list(values)
    known = [point for point in points if point is not None]
    if len(known) < 2:
        return SafeString("")
    low, high = min([*known, *(normal or ())]), max([*known, *(normal or ())])
    pad = (high - low) * 0.08 or 0.5
    low, high = low - pad, high + pad

    def x(place: int) -> str:
        return f"{place / (len(points) - 1) * (width - 4):.1f}"

    def y(of: float) -> float:
        return float(height - (of - low) / (high - low) * height)

    def path(pick: Iterable[bool]) -> str:
        text, pen_up = "", True
        for place, (point, wanted) in enumerate(zip(points, pick, strict=True)):
            if point is None or not wanted:
                pen_up = True
                continue
            text += f"{'M' if pen_up else 'L'}{x(place)} {y(point):.1f}"
            pen_up = False
        return text

    hot = ""
    if alarm is not None and limit is not None:
        hot = path(point is not None and (point <= limit if below else point >= limit) for point in points)
    band = ""
    if normal is not None:
        top = max(0.0, y(normal[1]))
        band = format_html(
            '<rect class="bandr" y="{}" width="{}" height="{}"/>',
            f"{top:.1f}",
            width - 4,
            f"{max(0.0, min(height, y(normal[0])) - top):.1f}",
        )
    return format_html(
        '<svg class="spark{}" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true"{}>'
        '{}<path d="{}"/>{}</svg>',
        f" p{alarm}" if alarm else "",
        width,
        height,
        _goes_on(tag, points, normal, limit, below=below) if tag else "",
        band,
        path(True for _point in points),
        format_html('<path class="hot" d="{}"/>', hot) if hot or tag else "",
    )


def _goes_on(
    tag: str, points: list[float | None], normal: tuple[float, float] | None, limit: float | None, *, below: bool
) -> SafeString:
    """Gives what a script needs to draw the line again with its next point."""
    short = [None if point is None else float(f"{point:.5g}") for point in points]
    return format_html(
        ' data-spark="{}" data-points="{}" data-normal="{}" data-limit="{}"{}',
        tag,
        json.dumps(short, separators=(",", ":")),
        "" if normal is None else f"{normal[0]!r} {normal[1]!r}",
        "" if limit is None else repr(limit),
        mark_safe(" data-below") if below else "",
    )


def bar(share: float, aim: float | None = None, size: str = "") -> SafeString:
    """Gives a bar; `share` and `aim` are parts of 1."""
    return format_html(
        '<svg class="bar {}" aria-hidden="true"><rect class="trk" width="100%" height="100%" rx="1"/>'
        '<rect class="fl" width="{}%" height="100%" rx="1"/>{}</svg>',
        size,
        f"{max(0.0, min(1.0, share)) * 100:.1f}",
        format_html('<rect class="aim" x="{}%" y="-3" width="2" height="14"/>', f"{max(0.0, min(1.0, aim)) * 100:.1f}")
        if aim is not None
        else "",
    )


def columns(values: Sequence[int], label: str, *, height: int = 14) -> SafeString:
    """Gives small columns, the newest in full ink; the height is a square root, so that 1 and 30 can both be read."""
    top = math.sqrt(max(10, *values))
    wide = 10
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="8" height="{}"/>',
        (
            (
                "now" if place == len(values) - 1 else "past",
                place * wide + 1,
                f"{height - tall:.1f}",
                f"{tall:.1f}",
            )
            for place, value in enumerate(values)
            for tall in (max(1.0, math.sqrt(value) / top * height),)
        ),
    )
    return format_html(
        '<svg class="cols" viewBox="0 0 {} {}" height="{}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>',
        len(values) * wide,
        height,
        height,
        label,
        bars,
    )


def shares(parts: Sequence[tuple[str, int]], label: str) -> SafeString:
    """Gives one bar cut into the parts of a whole, in the greys of machine states."""
    total = sum(count for _name, count in parts) or 1
    drawn, x = [], 0.0
    for name, count in parts:
        if count:
            wide = count / total * 1000
            drawn.append((name, f"{x:.1f}", f"{max(1.0, wide - 3):.1f}"))
            x += wide
    return format_html(
        '<svg class="shares" viewBox="0 0 1000 8" height="8" preserveAspectRatio="none" role="img" aria-label="{}">{}'
        "</svg>",
        label,
        format_html_join("", '<rect class="{}" x="{}" width="{}" height="8"/>', drawn),
    )
