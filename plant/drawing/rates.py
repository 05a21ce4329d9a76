"""How alarms came over a period: columns on a square-root axis, so that 1 and 300 can both be read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

_HEIGHT = 280  # px; the axis is drawn in px, across in per cent
_HEAD = 26  # above it, for what marks say
_TICKS = (0, 1, 2, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 5000)
_CLOSEST = 17  # px between two numbers of the axis
SHADES = 10  # of a field's cells


@dataclass(frozen=True, slots=True)
class Mark:
    """A span to shade, in parts of the width, and what is said above it."""

    start: float
    end: float
    text: str = ""


def rate_chart(
    values: Sequence[int],
    *,
    limits: Sequence[tuple[float, str]],
    marks: Sequence[Mark],
    days: Sequence[tuple[float, str]],
    label: str,
    hot_above: float,
) -> SafeString:
    """Gives columns with the names of limits beside and of days below.

    Takes: limits as (value, name), the highest first; days as (place in parts of the width, name).
    """
    top = math.sqrt(max(12.0, *(float(value) for value in values), *(limit for limit, _name in limits)) * 1.08)

    def y(value: float) -> float:
        return _HEAD + _HEIGHT - math.sqrt(value) / top * _HEIGHT

    ticks: list[int] = []
    for tick in _TICKS:
        if tick <= top * top and (not ticks or y(ticks[-1]) - y(tick) >= _CLOSEST):
            ticks.append(tick)
    wide = 100 / max(1, len(values))
    whole = _HEAD + _HEIGHT
    columns = format_html_join(
        "",
        '<rect class="{}" x="{}%" width="{}%" y="{}" height="{}"/>',
        (
            (
                "hot" if value > hot_above else "col",
                f"{place * wide:.3f}",
                f"{wide * 0.76:.3f}",
                f"{y(value):.1f}",
                f"{whole - y(value):.1f}",
            )
            for place, value in enumerate(values)
            if value
        ),
    )
    shades = format_html_join(
        "",
        '<rect class="shade" x="{}%" width="{}%" y="{}" height="{}"/>',
        ((f"{m.start * 100:.3f}", f"{max(0.15, (m.end - m.start) * 100):.3f}", _HEAD, _HEIGHT) for m in marks),
    )
    said = format_html_join(
        "",
        '<line class="flag" x1="{0}%" x2="{0}%" y1="4" y2="{1}"/><text x="{0}%" dx="{2}" y="14" {3}>{4}</text>',
        (
            (
                f"{mark.end * 100:.3f}",
                whole,
                6 if mark.end < 0.6 else -6,
                format_html("text-anchor={}", "start" if mark.end < 0.6 else "end"),
                mark.text,
            )
            for mark in marks
            if mark.text
        ),
    )
    return format_html(
        '<div class="rate"><svg class="axis" height="{0}" aria-hidden="true">{1}</svg>'
        '<svg class="plot" height="{0}" role="img" aria-label="{2}">{3}{4}{5}{6}{7}{8}</svg>'
        '<svg class="names" height="{0}" aria-hidden="true">{9}</svg>'
        '<svg class="days" height="20" aria-hidden="true">{10}</svg></div>',
        whole + 1,
        format_html_join(
            "", '<text x="100%" y="{}" text-anchor="end">{}</text>', ((f"{y(tick) + 4:.1f}", tick) for tick in ticks)
        ),
        label,
        shades,
        format_html_join("", '<line class="g" x2="100%" y1="{0}" y2="{0}"/>', ((f"{y(tick):.1f}",) for tick in ticks)),
        format_html_join(
            "",
            '<line class="g" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>',
            ((f"{place * 100:.3f}", _HEAD, whole) for place, _name in days),
        ),
        columns,
        format_html_join(
            "", '<line class="limit" x2="100%" y1="{0}" y2="{0}"/>', ((f"{y(limit):.1f}",) for limit, _name in limits)
        ),
        said,
        format_html_join("", '<text x="0" y="{}">{}</text>', ((f"{y(limit) + 4:.1f}", name) for limit, name in limits)),
        format_html_join("", '<text x="{}%" y="14">{}</text>', ((f"{place * 100:.3f}", name) for place, name in days)),
    )


def shade(value: float, most: float) -> int:
    """Gives the shade of a field's cell, 0 to SHADES - 1."""
    return min(SHADES - 1, round(max(0.0, value) / most * (SHADES - 1)))
