"""A sensor's trend as a picture of its own, for what is read without a script: a file, a sheet of paper."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from plant import writing

WIDTH, HEIGHT = 1000, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 10, 22
_LINES, _TIMES = 4, 6
_DIGIT = 6.6  # px that a character of the scale is wide at most


@dataclass(frozen=True)
class Lane:
    """What is drawn: points in order of time, NaN where the line breaks; limits and alarms with their priorities."""

    start: float  # seconds since the epoch, as all times here
    end: float
    times: Sequence[float]
    values: Sequence[float]
    normal: tuple[float | None, float | None] | None  # one end may be open
    limits: Sequence[tuple[float, int]]
    marks: Sequence[tuple[float, int]]
    decimals: int

    @cached_property
    def span(self) -> tuple[float, float]:
        """Gives the lowest and the highest value of the picture, with room for the line's width."""
        known = [value for value in self.values if not math.isnan(value)]
        ends = [end for end in self.normal or () if end is not None]
        spread = [*known, *(value for value, _priority in self.limits), *ends] or [0.0, 1.0]
        pad = (max(spread) - min(spread)) * 0.08 or 0.5
        return min(spread) - pad, max(spread) + pad

    @cached_property
    def marks_of_scale(self) -> list[tuple[float, str]]:
        """Gives the scale's values, and how each is written; none twice, and none between two that can be written."""
        low, high = self.span
        rounded = (round(low + (high - low) * (place + 0.5) / _LINES, self.decimals) for place in range(_LINES))
        found = dict.fromkeys(value for value in rounded if low <= value <= high)
        return [(value, writing.number(value, self.decimals)) for value in found]

    @cached_property
    def left(self) -> int:
        """Gives where the plot begins: beside the widest value of the scale."""
        widest = max((len(text) for _value, text in self.marks_of_scale), default=0)
        return max(_LEFT, math.ceil(widest * _DIGIT) + 8)

    def x(self, time: float) -> float:
        """Gives where a time stands."""
        return self.left + (time - self.start) / ((self.end - self.start) or 1) * (WIDTH - self.left - _RIGHT)

    def y(self, value: float) -> float:
        """Gives where a value stands."""
        low, high = self.span
        return _TOP + (high - value) / (high - low) * (HEIGHT - _TOP - _BOTTOM)


def lane(of: Lane, label: str) -> SafeString:
    """Gives the picture; without a reading an empty one, with its axes."""
    return format_html(
        '<svg class="lane" viewBox="0 0 {} {}" role="img" aria-label="{}">{}<path class="line" d="{}"/></svg>',
        WIDTH,
        HEIGHT,
        label,
        format_html_join("", "{}", ((part,) for part in _around(of))),
        _path(of),
    )


def _around(of: Lane) -> Iterator[SafeString]:
    """Gives what stands behind the line: normal band, scale, times, limits, alarms."""
    left, right, bottom = of.left, WIDTH - _RIGHT, HEIGHT - _BOTTOM
    if of.normal is not None:
        lowest, highest = of.normal
        top, foot = _TOP if highest is None else of.y(highest), bottom if lowest is None else of.y(lowest)
        band = '<rect class="band" x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>'
        yield _shape(band, left, top, right - left, max(0.0, foot - top))
    for value, written in of.marks_of_scale:
        yield _shape(
            '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>', left, right, of.y(value), of.y(value)
        )
        yield format_html(
            '<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>',
            left - 6,
            f"{of.y(value) + 4:.1f}",
            written,
        )
    for place in range(_TIMES + 1):
        time = of.start + (of.end - of.start) * place / _TIMES
        anchor = "start" if place == 0 else "end" if place == _TIMES else "middle"
        text = writing.clock(datetime.fromtimestamp(time, UTC))
        where = f"{of.x(time):.1f}"
        yield format_html(
            '<text class="axis" x="{}" y="{}" text-anchor="{}">{}</text>', where, HEIGHT - 6, anchor, text
        )
    for value, priority in of.limits:
        row = '<line class="limit p{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
        yield _shape(row, priority, left, right, of.y(value), of.y(value))
    for time, priority in of.marks:
        if of.start <= time <= of.end:
            row = '<line class="mark p{}" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>'
            yield _shape(row, priority, of.x(time), of.x(time), _TOP, bottom)


def _shape(markup: str, *figures: float) -> SafeString:
    """Gives markup with figures in it; there is nothing else to escape."""
    return SafeString(markup.format(*figures))


def _path(of: Lane) -> str:
    text, up = [], True
    for time, value in zip(of.times, of.values, strict=True):
        if math.isnan(value):
            up = True
            continue
        text.append(f"{'M' if up else 'L'}{of.x(time):.1f} {of.y(value):.1f}")
        up = False
    return "".join(text)
