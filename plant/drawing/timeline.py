"""The state line: one day of a machine in the greys of its states, its alarms above.

static/js/ui/stateline.js is its twin.
"""

from collections.abc import Iterable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from plant.drawing.symbols import shape


def timeline(
    stretches: Iterable[tuple[str, float, float]],
    marks: Iterable[tuple[float, int]],
    ticks: Sequence[tuple[float, str]],
    start: float,
    end: float,
    label: str,
) -> SafeString:
    """Gives the line.

    Takes: stretches as (kind, from, to) and marks as (time, priority), in seconds since the epoch; ticks as (per cent,
    text); the ends of the line.
    """

    def at(seconds: float) -> str:
        return f"{max(0.0, min(1.0, (seconds - start) / (end - start))) * 100:.3f}"

    bars = format_html_join(
        "",
        '<rect class="{}" x="{}%" y="12" width="{}%" height="16"/>',
        ((kind, at(first), f"{float(at(last)) - float(at(first)):.3f}") for kind, first, last in stretches),
    )
    signs = format_html_join(
        "",
        '<svg class="p{}" x="{}%" y="-1" width="12" height="12" viewBox="0 0 16 16"><g transform="translate(-8)">{}</g>'
        "</svg>",
        ((priority, at(time), mark_safe(shape(priority))) for time, priority in marks),  # noqa: S308  # of our symbols
    )
    last = len(ticks) - 1
    texts = format_html_join(
        "",
        '<text class="{}" x="{}%" y="43">{}</text>',
        (
            (" ".join(filter(None, (_side(place, last), "odd" if place % 2 else ""))), f"{x:.1f}", text)
            for place, (x, text) in enumerate(ticks)
        ),
    )
    return format_html(
        '<svg class="timeline" height="46" role="img" aria-label="{}"><g class="bars">{}</g><g class="signs">{}</g>'
        "{}</svg>",
        label,
        bars,
        signs,
        texts,
    )


def _side(place: int, last: int) -> str:
    return "first" if place == 0 else "last" if place == last else ""
