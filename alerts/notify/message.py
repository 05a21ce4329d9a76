"""What a message says, before a channel gives it its form."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts.limits import has_limits
from alerts.models import Alarm, Delivery, JournalEntry, Priority
from alerts.sayings import said
from alerts.writing import day
from alerts.written import Figure, limit_of, value_of
from devices import units
from devices.models import Asset

DIGEST_ROWS = 20  # alarms that a digest names, and every critical one; of the rest it says how many


@dataclass(frozen=True, slots=True)
class Notice:
    """One message's content. Times are written in the plant's time zone; texts are one line each."""

    event: str  # raise, realarm, clear, test, or the journal's word for what presented the alarm again
    subject: str  # the same for all messages of an occurrence, so that mail programs fold them
    priority: int
    thing: str  # the machine's code
    words: str  # what is the matter
    figure: str  # the value with its unit, for screens
    plain_figure: str  # the same with plain letters only
    limit: str
    at: str  # clock, and the day where it is not today
    where: str  # the places above, from the top
    link: str
    why: str  # this person is told
    rows: list[tuple[str, str]] = field(default_factory=list)  # what the rule knows: cause, consequence, action
    critical: list[str] = field(default_factory=list)  # of a digest: every critical alarm by name

    @property
    def urgency(self) -> str:
        """Gives the priority as screens write it: 1 Critical."""
        return f"{self.priority} {Priority(self.priority).label}" if self.priority else ""

    @property
    def happened(self) -> str:
        """Gives what the message is about, for a heading."""
        return {
            "raise": _("New alarm"),
            "clear": _("Returned to normal"),
            "call": _("Nobody has acknowledged yet"),
            "digest": _("Held back until now"),
            "test": _("Test message"),
        }.get(self.event, _("Still active"))


def notice(delivery: Delivery, now: datetime) -> Notice:
    """Gives what a delivery says. Cost: two queries where its alarm, sensor and asset are loaded."""
    alarm = delivery.alarm
    if delivery.event == "digest":
        return _digest(delivery, now)
    if alarm is None:
        return _test(delivery)
    entry = JournalEntry.objects.filter(pk=delivery.journal_id).first() if delivery.journal_id is not None else None
    value, at = (entry.value, entry.time) if entry is not None else (alarm.value, alarm.raised)
    figure, plain = _figures(alarm, alarm.value if value is None else value)
    raised_figure = _figures(alarm, alarm.value)[0]
    words = one_line(alarm.message)
    thing = one_line(alarm.asset_code)
    name = f"{thing} {_lowered(words)}" if thing else words
    return Notice(
        event=delivery.event,
        subject=f"[{alarm.priority} {Priority(alarm.priority).label}] {name}"
        + (f", {raised_figure}" * bool(raised_figure)),
        priority=alarm.priority,
        thing=thing,
        words=_lowered(words) if thing else words,
        figure=figure,
        plain_figure=plain,
        limit=_limit(alarm),
        at=_moment(at, now),
        where=_where(alarm.asset),
        link=settings.PUBLIC_URL + _address("alarm", f"/alarms/{alarm.pk}", alarm.pk),
        why=said(delivery.reason),
        rows=_rows(alarm),
    )


def _name(alarm: Alarm) -> str:
    return f"{one_line(alarm.asset_code)} {one_line(alarm.message)}".strip()


def one_line(text: str) -> str:
    """Gives a text without line breaks and control characters, fit for a header."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def subscriptions_link() -> str:
    """Gives where a person chooses what reaches them."""
    return settings.PUBLIC_URL + _address("subscriptions", "/subscriptions")


def _test(delivery: Delivery) -> Notice:
    return Notice(
        event="test",
        subject=_("Andon: test message"),
        priority=0,
        thing="",
        words=_("Andon can reach you here. Alarms of your subscriptions will come this way."),
        figure="",
        plain_figure="",
        limit="",
        at=_moment(delivery.created, delivery.created),
        where="",
        link=subscriptions_link(),
        why=said(delivery.reason),
    )


def _digest(delivery: Delivery, now: datetime) -> Notice:
    """Gives one message of several that were held back, the most urgent first. Cost: one query."""
    held = delivery.gathered.select_related("alarm").order_by("alarm__priority", "pk")
    # Two steps of a plan may have called for the same alarm.
    alarms = list({row.alarm_id: row.alarm for row in held if row.alarm is not None}.values())
    counts = Counter(alarm.priority for alarm in alarms)
    levels = ", ".join(f"{counts[level]} {Priority(level).label}" for level in sorted(counts))
    words = ngettext("%(count)s alarm was held back", "%(count)s alarms were held back", len(alarms))
    held_back = f"{words % {'count': len(alarms)}}: {levels}"
    named = max(DIGEST_ROWS, counts[Priority.CRITICAL])
    rows = [
        (
            _moment(alarm.raised, now),
            " ".join(
                filter(
                    None,
                    (f"{alarm.priority} {alarm.get_priority_display()}", _name(alarm)),
                )
            ),
        )
        for alarm in alarms[:named]
    ]
    if len(alarms) > named:
        rows.append((_("More"), _("%(count)s further alarms") % {"count": len(alarms) - named}))
    return Notice(
        event=delivery.event,
        subject=_("Andon: %(said)s") % {"said": held_back},
        priority=0,
        thing="",
        words=held_back,
        figure="",
        plain_figure="",
        limit="",
        at=_moment(delivery.created, now),
        where="",
        link=settings.PUBLIC_URL + _address("alarms", "/alarms/"),
        why=said(delivery.reason),
        rows=rows,
        critical=[_name(alarm) for alarm in alarms if alarm.priority == Priority.CRITICAL],
    )


def _address(name: str, plain: str, *args: Any) -> str:
    """Gives a page's address; the operators' pages are another app's, which may not be installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return plain


def _lowered(words: str) -> str:
    """Gives words as they stand after a name: "Stage 2 hot" begins small, "PT100 fault" does not."""
    return words[:1].lower() + words[1:] if words[1:2].islower() or words[1:2].isspace() else words


def _figures(alarm: Alarm, value: float | None) -> tuple[str, str]:
    """Gives value and unit for screens and in plain letters; nothing where there is no value."""
    if value is None or not isfinite(value):
        return "", ""
    shown = _shown(value_of(alarm, alarm.sensor, value))
    if alarm.sensor is not None and alarm.sensor.labels:
        return shown, shown
    unit = units.find(alarm.unit)
    space = " " if unit is None or unit.spaced else ""
    return (shown + space + units.display(alarm.unit)).strip(), (shown + space + units.plain(alarm.unit)).strip()


def _limit(alarm: Alarm) -> str:
    """Gives the limit, where it is in the unit of the value beside it."""
    figure = limit_of(alarm, alarm.sensor) if has_limits(alarm.frozen.get("kind", "")) else None
    return _shown(figure)


def _shown(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return figure.text if figure.word is None else one_line(figure.word)


def _moment(at: datetime, now: datetime) -> str:
    local, today = timezone.localtime(at), timezone.localtime(now)
    clock = f"{local:%H:%M}"
    return clock if local.date() == today.date() else f"{day(local)} {clock}"


def _where(asset: Asset | None) -> str:
    """Gives the names above the machine, below the site. Cost: one query."""
    if asset is None:
        return ""
    above = [one_line(place.name) for place in asset.ancestors()]
    return "/".join(above[1:] or above)


def _rows(alarm: Alarm) -> list[tuple[str, str]]:
    """Gives what the rule says to do, as it stood when the alarm was raised."""
    respond = alarm.frozen.get("time_to_respond")
    found = [
        (_("What to do"), alarm.frozen.get("action")),
        (_("Time to respond"), _minutes(respond) if respond else ""),
        (_("If nobody acts"), alarm.frozen.get("consequence")),
        (_("Most likely"), alarm.frozen.get("cause")),
    ]
    return [(name, str(text).strip()) for name, text in found if text]


def _minutes(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02d}"
