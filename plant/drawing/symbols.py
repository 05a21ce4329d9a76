"""The symbols: priorities, machine states, qualities, icons. Shape and word tell, colour only repeats.

static/js/ui/symbols.js is its twin.
"""

import math

from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from alerts.models import Alarm, Priority, State
from alerts.queries import UNACKED_STATES, Tally
from plant.machines import KIND_WORDS, Kind

# 16 × 16 grid.
_SHAPES = {
    1: '<rect class="sh" x="1.3" y="1.3" width="13.4" height="13.4" rx="1.2"/>',
    2: '<path class="sh" d="M8 .9 15.5 14.7H.5z"/>',
    3: '<path class="sh" d="M8 15.1.5 1.3h15z"/>',
    4: '<circle class="sh" cx="8" cy="8" r="6.9"/>',
}
_DIGIT_Y = {1: "11.4", 2: "13", 3: "9.9", 4: "11.4"}
_LOOKS = {
    "unack": ("unack", _("unacknowledged")),
    "ack": ("", _("acknowledged")),
    "returned": ("hollow", _("cleared, unacknowledged")),
    "shelved": ("off", _("shelved")),
    "suppressed": ("off dash", _("suppressed")),
    "zero": ("off", _("none")),
    "plain": ("", ""),
}
_QUALITY_MARKS = {
    "uncertain": "M5.7 6.2a2.3 2.3 0 1 1 3.3 2c-.7.4-1 .7-1 1.5M8 11.9v.2",
    "stale": "M8 1.9a6.1 6.1 0 1 1 0 12.2A6.1 6.1 0 0 1 8 1.9zM8 4.5V8l2.5 1.6",
    "unknown": "M8 1.9a6.1 6.1 0 1 1 0 12.2A6.1 6.1 0 0 1 8 1.9zM8 4.5V8l2.5 1.6",
    "bad": "M4 4l8 8M12 4l-8 8",
    "manual": "M5 2.5v11M5 3l7 2.5L5 8",
    "simulated": "M10.8 4.8c-.4-1-1.5-1.6-2.8-1.6-1.6 0-2.8.8-2.8 2.2 0 3 5.8 1.5 5.8 4.8 0 1.4-1.3 2.5-3 2.5"
    "-1.5 0-2.7-.7-3.2-1.9",
}


def icon(name: str, size: int = 16) -> SafeString:
    """Gives an icon of static/img/icons.svg; it never stands for a word alone."""
    return format_html(
        '<svg class="ic" width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"/></svg>',
        size,
        static("img/icons.svg"),
        name,
    )


def shape(number: int) -> str:
    """Gives a priority's shape alone, on the 16 × 16 grid."""
    return _SHAPES[number]


def priority_word(number: int) -> str:
    """Gives a priority's word."""
    return str(Priority(number).label)


def look_of(alarm: Alarm) -> str:
    """Gives how an alarm's symbol stands."""
    if "shelved" in alarm.suppressed:
        return "shelved"
    if alarm.suppressed:
        return "suppressed"
    if alarm.state == State.RETURNED:
        return "returned"
    return "unack" if alarm.state in UNACKED_STATES else "ack"


def priority(number: int, look: str = "plain", size: str = "") -> SafeString:
    """Gives a priority's symbol.

    Takes: look unack, ack, returned, shelved, suppressed, zero or plain; size sm (13), nothing (16), lg (22), xl (30).
    """
    classes, word = _LOOKS[look]
    return format_html(
        '<svg class="{}" viewBox="0 0 16 16" role="img" aria-label="{}">{}<text x="8" y="{}">{}</text></svg>',
        " ".join(filter(None, ("pr", f"p{number}", classes, size))),
        ", ".join(filter(None, (priority_word(number), str(word)))),
        mark_safe(_SHAPES[number]),  # noqa: S308  # of this module
        _DIGIT_Y[number],
        number,
    )


def counts(tally: Tally, *, zeros: bool = False, size: str = "", limit: int = 4) -> SafeString:
    """Gives a tally as symbols with numbers, the highest priority first; priorities without alarms only if `zeros`."""
    shown = [number for number in tally.active if zeros or tally.active[number]][:limit]
    return format_html_join(
        "",
        '<span class="pcount{}" data-priority="{}">{}<span>{}</span></span>',
        (
            (
                "" if tally.active[number] else " zero",
                number,
                priority(number, tally.look(number), size),
                tally.active[number],
            )
            for number in shown
        ),
    )


def hexagon(x: float, y: float, radius: float) -> str:
    """Gives a hexagon's points, one of them on top."""
    corners = (math.radians(60 * corner - 90) for corner in range(6))
    return " ".join(f"{x + radius * math.cos(a):.1f},{y + radius * math.sin(a):.1f}" for a in corners)


_ICON_HEXAGON = hexagon(8, 8, 7)


def state_icon(kind: str, size: int = 14) -> SafeString:
    """Gives a machine state's hexagon without its word."""
    return format_html(
        '<svg class="hexg {0}" width="{1}" height="{1}" viewBox="0 0 16 16" aria-hidden="true">'
        '<polygon class="hex" points="{2}"/><use class="mk" href="#m-{0}" x="8" y="8"/></svg>',
        kind,
        size,
        _ICON_HEXAGON,
    )


def state(kind: str, word: str = "") -> SafeString:
    """Gives a machine's state: hexagon and word."""
    shown = word or str(KIND_WORDS[Kind(kind)])
    return format_html('<span class="st">{}<span>{}</span></span>', state_icon(kind), shown[:1].upper() + shown[1:])


_QUALITY_WORDS = {
    "good": "",
    "uncertain": _("uncertain"),
    "stale": _("stale"),
    "unknown": _("no data"),
    "bad": _("bad"),
    "manual": _("entered by hand"),
    "simulated": _("simulated"),
}


def quality(word: str) -> SafeString:
    """Gives the mark of a quality; of good, an empty place that keeps its width."""
    hidden = word == "good"
    return format_html(
        '<svg class="q qual" width="12" height="12" viewBox="0 0 16 16"{} aria-label="{}">'
        '<title>{}</title><path d="{}"/></svg>',
        mark_safe(' aria-hidden="true"') if hidden else mark_safe(' role="img"'),
        _QUALITY_WORDS[word],
        _QUALITY_WORDS[word],
        _QUALITY_MARKS.get(word, ""),
    )
