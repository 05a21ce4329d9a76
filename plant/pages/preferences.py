"""How a person wishes to be told, as the page of subscriptions asks it; and the duties that they have."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.calling import rota as core
from alerts.calling.directory import USUAL, load_rotas, zone_of
from alerts.models import PERSONAL, Contact, Priority, Rota
from alerts.notify.hours import clock, spans_of
from alerts.writing import stamp

AHEAD = timedelta(days=14)
MOST = 6  # duties that are shown

WAYS = [(way.value, way.label) for way in PERSONAL]


@dataclass(slots=True)
class Wishes:
    """The form of a person's wishes, as it is stored or as it was sent."""

    quiet: bool = False
    quiet_from: str = "22:00"
    quiet_to: str = "06:00"
    quiet_lets: str = "1"
    channels: dict[int, list[str]] = field(default_factory=dict)
    digest_from: str = "0"
    hourly_limit: str = "20"
    language: str = ""
    calls_also_clear: bool = False

    @classmethod
    def of(cls, contact: Contact) -> Wishes:
        """Gives the form of what is stored."""
        made = cls(
            quiet=contact.quiet_hours is not None,
            quiet_lets=str(contact.quiet_lets),
            channels={int(priority): list(ways) for priority, ways in contact.channels.items()},
            digest_from=str(contact.digest_from),
            hourly_limit=str(contact.hourly_limit),
            language=contact.language,
            calls_also_clear=contact.calls_also_clear,
        )
        found = spans_of(contact.quiet_hours) if contact.quiet_hours is not None else []
        if found:
            made.quiet_from, made.quiet_to = clock(found[0].start), clock(found[0].end)
        return made

    @classmethod
    def sent(cls, post: QueryDict) -> Wishes:
        """Gives the form as it was sent."""
        return cls(
            quiet="quiet" in post,
            quiet_from=post.get("quiet_from", "")[:20],
            quiet_to=post.get("quiet_to", "")[:20],
            quiet_lets=post.get("quiet_lets", "")[:2],
            channels={priority: post.getlist(f"ways-{priority}")[:20] for priority in Priority.values},
            digest_from=post.get("digest_from", "")[:2],
            hourly_limit=post.get("hourly_limit", "")[:10].strip(),
            language=post.get("language", "")[:10],
            calls_also_clear="calls_also_clear" in post,
        )

    def wish(self) -> dict[str, Any]:
        """Gives it as the service takes it."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def lets(self) -> list[tuple[str, str, bool]]:
        """Gives the choices of what comes through in quiet hours."""
        words = [
            ("1", _("Critical still comes through")),
            ("2", _("Critical and high still come through")),
            ("0", _("Nothing comes through")),
        ]
        return [(value, word, value == self.quiet_lets) for value, word in words]

    @property
    def digests(self) -> list[tuple[str, str, bool]]:
        """Gives the choices of what goes into the hourly digest."""
        words = [
            ("0", _("Nothing: each alarm by itself")),
            ("4", _("Low alarms")),
            ("3", _("Medium and low alarms")),
            ("2", _("All but critical alarms")),
        ]
        return [(value, word, value == self.digest_from) for value, word in words]

    @property
    def matrix(self) -> list[tuple[int, str, list[tuple[str, str, bool]]]]:
        """Gives the channels of calls for each priority, and which are ticked."""
        return [
            (
                value,
                str(label),
                [(way, str(word), way in (self.channels.get(value) or USUAL[value])) for way, word in WAYS],
            )
            for value, label in Priority.choices
        ]

    @property
    def ways(self) -> list[str]:
        """Gives the channels' names."""
        return [str(word) for _way, word in WAYS]

    @property
    def languages(self) -> list[tuple[str, str, bool]]:
        """Gives the choices of the language."""
        usual = dict(settings.LANGUAGES)[settings.LANGUAGE_CODE]
        choices = [("", _("As the plant: %(language)s") % {"language": usual}), *settings.LANGUAGES]
        return [(value, str(word), value == self.language) for value, word in choices]


def my_duties(user: User, contact: Contact) -> list[tuple[Rota, str, str, bool]]:
    """Gives a person's duties of the coming days, from and to by their own clock, and whether each is under way.

    Cost: six queries for any number of rotas, one where there is none.
    """
    rows = {row.pk: row for row in Rota.objects.all()}
    if not rows:
        return []
    now, zone = timezone.now(), zone_of(contact.time_zone)
    loaded = load_rotas(None, since=now)
    found = sorted(
        (one.start, one.end, pk)
        for pk, rota in loaded.items()
        for one in core.segments(rota, now, now + AHEAD)
        if one.person == user.pk
    )
    return [(rows[pk], _clock(start, zone), _clock(end, zone), start <= now) for start, end, pk in found[:MOST]]


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return stamp(moment.astimezone(zone))
