"""The form of one subscription: what was typed, what is wrong with it, and the hours it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from alerts.models import PERSONAL, Channel, Priority, Subscription
from alerts.notify import hours
from alerts.notify.hours import PRESETS, NoClock, Span
from plant.pages.tree import Tree

MOST_LISTED = 300  # parts of the plant in a list to choose from
ROWS = 3  # at least so many spans can be written
SPARE = 2  # beyond those that are filled in
MOST = 20


@dataclass(slots=True)
class Row:
    """One line of own hours: weekdays, from, to."""

    number: int
    days: tuple[int, ...] = ()
    start: str = ""
    end: str = ""
    error: str = ""

    @property
    def boxes(self) -> list[tuple[int, str, bool]]:
        """Gives the weekdays and which are ticked."""
        return [(day, str(hours.DAYS[day]), day in self.days) for day in hours.WEEK]

    @property
    def is_empty(self) -> bool:
        """Tells whether nothing was written."""
        return not (self.days or self.start.strip() or self.end.strip())

    def span(self) -> Span | None:
        """Gives what it means, or None with `error` set."""
        try:
            if not self.start.strip() or not self.end.strip():
                raise NoClock(_("Write from when to when, such as 06:00 to 14:00."))
            start, end = hours.minute_of(self.start), hours.minute_of(self.end, ends=True)
            if start == end:
                raise NoClock(_("From and to are the same. For a whole day write 00:00 to 24:00."))
            if not self.days:
                raise NoClock(_("Choose at least one weekday."))
        except NoClock as wrong:
            self.error = str(wrong)
            return None
        return Span(self.days, start, end)


@dataclass(slots=True)
class Form:
    """The fields of a subscription as a person wrote them."""

    asset: str = ""
    lowest_priority: str = str(Priority.HIGH.value)
    channel: str = Channel.EMAIL.value
    when: str = "always"
    rows: list[Row] = field(default_factory=list)
    also_clear: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def blank(cls, asset: str = "") -> Form:
        """Gives the form of a new subscription."""
        return cls(asset=asset)._roomy()

    @classmethod
    def of(cls, subscription: Subscription) -> Form:
        """Gives the form of a stored subscription."""
        week = subscription.hours
        rows = [
            Row(number, span.days, hours.clock(span.start), hours.clock(span.end))
            for number, span in enumerate(hours.spans_of(week) if week is not None else ())
        ]
        return cls(
            asset=subscription.asset.code if subscription.asset is not None else "",
            lowest_priority=str(subscription.lowest_priority),
            channel=subscription.channel,
            when=hours.preset_of(week),
            rows=rows,
            also_clear=subscription.also_clear,
        )._roomy()

    @classmethod
    def sent(cls, post: QueryDict) -> Form:
        """Gives the form as it was sent."""
        rows: list[Row] = []
        for number in range(MOST):
            days = {int(day) for day in post.getlist(f"days-{number}") if day in {"0", "1", "2", "3", "4", "5", "6"}}
            row = Row(
                len(rows), tuple(sorted(days)), post.get(f"from-{number}", "")[:20], post.get(f"to-{number}", "")[:20]
            )
            if not row.is_empty:
                rows.append(row)
        return cls(
            asset=post.get("asset", ""),
            lowest_priority=post.get("lowest_priority", ""),
            channel=post.get("channel", ""),
            when=post.get("when", ""),
            rows=rows,
            also_clear="also_clear" in post,
        )._roomy()

    def _roomy(self) -> Form:
        """Leaves lines to write further hours into."""
        for number in range(len(self.rows), min(MOST, max(ROWS, len(self.rows) + SPARE))):
            self.rows.append(Row(number))
        return self

    def wish(self) -> dict[str, Any] | None:
        """Gives the fields as alerts.subscriptions takes them, or None with the errors set."""
        week: hours.Hours | None = None
        if self.when in PRESETS:
            week = hours.hours_of(PRESETS[self.when])
        elif self.when == "own":
            spans = [row.span() for row in self.rows if not row.is_empty]
            if any(row.error for row in self.rows):
                self.errors["hours"] = _("Some hours could not be read.")
                return None
            week = hours.hours_of(span for span in spans if span is not None)
        elif self.when != "always":
            self.errors["hours"] = _("Choose when messages may come.")
            return None
        return {
            "asset": self.asset,
            "lowest_priority": self.lowest_priority,
            "channel": self.channel,
            "hours": week,
            "also_clear": self.also_clear,
        }

    @property
    def whens(self) -> list[tuple[str, str, str, bool]]:
        """Gives the choices of hours: key, word, what it means, and whether it is chosen."""
        words = {"work": _("Working hours"), "nights": _("Nights")}
        choices = [("always", _("Always"), _("at any time"))]
        choices += [(key, words[key], hours.in_words(hours.hours_of(spans))) for key, spans in PRESETS.items()]
        choices.append(("own", _("Hours of my own"), _("weekdays, from and to")))
        return [(key, word, meaning, key == self.when) for key, word, meaning in choices]

    @property
    def priorities(self) -> list[tuple[int, str, bool]]:
        """Gives the choices of the lowest priority."""
        return [(value, str(label), str(value) == self.lowest_priority) for value, label in Priority.choices]

    @property
    def channels(self) -> list[tuple[str, str, bool]]:
        """Gives the choices of the channel."""
        return [(way.value, str(way.label), way == self.channel) for way in PERSONAL]


def places(plant: Tree) -> list[tuple[str, list[tuple[str, str]]]]:
    """Gives the subtrees that can be chosen, by area in plant order: code and name of each.

    Nothing where they are too many for a list: components/place.html takes the code then.
    """
    if len(plant.nodes) > MOST_LISTED:
        return []
    groups: dict[int, tuple[str, list[tuple[str, str]]]] = {}
    for node in plant.nodes.values():
        head = plant.head_of(node)
        label = _("%(name)s, all of it") % {"name": node.name} if node.children else node.name
        if node is not head and node.parent is not None and node.parent is not head:
            label = f"{label} · {node.parent.name}"
        groups.setdefault(head.pk, (head.name, []))[1].append((node.code, label))
    return list(groups.values())
