"""Values and the moving analog indicator; static/js/ui/values.js keeps them up to date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from devices.labels import word_of
from plant import writing
from plant.drawing.scale import Scale
from plant.drawing.symbols import quality
from plant.writing import seconds_attribute


@dataclass(frozen=True, slots=True)
class Shown:
    """A sensor's newest reading, ready to be drawn."""

    tag: str
    name: str
    value: float | None
    unit: str = ""
    decimals: int = 1
    quality: str = "good"  # good, uncertain or bad
    stale: bool = False
    time_ms: int | None = None
    interval: float | None = None  # seconds
    unknown: bool = False  # it lies below a part of the plant that is not heard
    priority: int | None = None  # of its highest alarm
    look: str = "ack"
    labels: Mapping[str, str] = field(default_factory=dict)
    scale: Scale | None = None

    @property
    def known(self) -> bool:
        """Tells whether there is a value that means something."""
        return self.value is not None and self.quality != "bad" and not self.unknown

    @property
    def text(self) -> str:
        """Gives the value in words or digits, without the unit."""
        if self.value is None or not self.known:
            return writing.NO_VALUE
        if (word := word_of(self.labels, self.value)) is not None:
            return word
        if self.scale is not None and (side := self.scale.off(self.value)):
            end = self.scale.low if side == "under" else self.scale.high
            word = _("under") if side == "under" else _("over")
            return f"{word} {writing.number(end, self.decimals)}"
        return writing.number(self.value, self.decimals)

    @property
    def widest(self) -> str:
        """Gives the longest of what `text` may say, which a column keeps room for; nothing where no scale tells it."""
        if self.labels:
            return max(map(str, self.labels.values()), key=len)
        if self.scale is None:
            return ""
        ends = [writing.number(end, self.decimals) for end in (self.scale.low, self.scale.high)]
        said = [f"{word} {end}" for word, end in zip((_("under"), _("over")), ends, strict=True)]
        return max(ends + said, key=len)

    @property
    def worst_quality(self) -> str:
        """Gives the mark that stands after the unit."""
        if self.unknown:
            return "unknown"
        return "bad" if self.quality == "bad" else "stale" if self.stale else self.quality


def value(shown: Shown, *, with_unit: bool = True) -> SafeString:
    """Gives a value with its unit and the mark of its quality; the page's script keeps it up to date."""
    classes = ["val"]
    if shown.priority is not None:
        classes += ["al", f"p{shown.priority}"]
    if not shown.known:
        classes.append("bad")
    if shown.stale or shown.unknown:
        classes.append("stale")
    return format_html(
        '<span class="{}" data-tag="{}" data-decimals="{}" data-interval="{}" data-time="{}"{}{}>'
        '<span class="v"{}>{}</span>{}{}</span>',
        " ".join(classes),
        shown.tag,
        shown.decimals,
        seconds_attribute(shown.interval),
        "" if shown.time_ms is None else str(shown.time_ms),
        format_html(' data-labels="{}"', json.dumps(shown.labels)) if shown.labels else "",
        format_html(' data-low="{}" data-high="{}"', repr(shown.scale.low), repr(shown.scale.high))
        if shown.scale
        else "",
        format_html(' data-widest="{}"', shown.widest) if shown.widest else "",
        shown.text,
        format_html('<span class="u">{}</span>', writing.unit(shown.unit)) if with_unit and shown.unit else "",
        quality(shown.worst_quality),
    )


def indicator(shown: Shown, *, rest: bool = False) -> SafeString:
    """Gives the moving analog indicator of a reading; nothing when its scale is not known.

    Takes: rest, when the machine stands still and its limits are not in force.
    """
    scale = shown.scale
    if scale is None or shown.labels:
        return SafeString("")
    known = shown.known
    classes = ["mai"]
    if shown.priority is not None:
        classes += ["al", f"p{shown.priority}"]
    classes += [
        name for name, on in (("stale", shown.stale or shown.unknown), ("rest", rest), ("none", not known)) if on
    ]
    parts = [mark_safe('<rect class="trk" y="3" width="100%" height="8"/>')]
    if scale.normal is not None:
        left, right = scale.at(scale.normal[0]), scale.at(scale.normal[1])
        parts.append(_piece("bnd", left, right))
    edge = scale.beyond(shown.value) if known and shown.value is not None and shown.priority is not None else None
    if edge is not None and shown.value is not None:
        parts.append(_piece("over", *sorted((scale.at(edge), scale.at(shown.value)))))
    else:
        parts.append(_piece("over", 0, 0))
    for limit in scale.limits:
        parts.append(
            format_html(
                '<line class="lim{0}" x1="{1}%" x2="{1}%" y1="{2}" y2="{3}"/>',
                " hh" if limit.outer else "",
                str(scale.at(limit.value)),
                0 if limit.outer else 1,
                14 if limit.outer else 13,
            )
        )
    at = scale.at(shown.value) if known and shown.value is not None else 0
    parts.append(
        format_html(
            '<line class="ptr" x1="{0}%" x2="{0}%" y1="0" y2="0" marker-start="url(#m-pointer)"/>',
            str(at),
        )
    )
    low_edge, high_edge = scale.edge("low"), scale.edge("high")
    return format_html(
        '<svg class="{}" role="meter" aria-label="{}" aria-valuemin="{}" aria-valuemax="{}" aria-valuenow="{}" '
        'aria-valuetext="{}" data-tag="{}" data-low="{}" data-high="{}" data-edge-low="{}" data-edge-high="{}" '
        'data-decimals="{}" data-unit="{}">'
        "{}</svg>",
        " ".join(classes),
        shown.name,
        repr(scale.low),
        repr(scale.high),
        repr(shown.value) if known else repr(scale.low),
        _meter_text(shown, edge),
        shown.tag,
        repr(scale.low),
        repr(scale.high),
        "" if low_edge is None else repr(low_edge),
        "" if high_edge is None else repr(high_edge),
        str(shown.decimals),
        writing.unit(shown.unit),
        mark_safe("".join(parts)),  # noqa: S308  # each made by format_html
    )


def _piece(name: str, left: float, right: float) -> SafeString:
    return format_html(
        '<rect class="{}" x="{}%" y="3" width="{}%" height="8"/>', name, str(left), f"{right - left:.2f}"
    )


def _meter_text(shown: Shown, edge: float | None) -> str:
    said = [f"{shown.text} {writing.unit(shown.unit)}".strip()]
    if edge is not None and shown.value is not None:
        high = shown.scale.edge("high") if shown.scale is not None else None
        said.append(_("high") if high is not None and shown.value >= high else _("low"))
        said.append(_("limit %(limit)s") % {"limit": writing.number(edge, shown.decimals)})
    if shown.stale:
        said.append(_("stale"))
    return ", ".join(said)
