"""What every operators' page carries: navigation, the alarm banner, counts, the live state, find, the theme."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from alerts import queries
from alerts.flood.counter import ABOVE
from alerts.flood.queries import Flood, Present, present
from alerts.lifecycle import Event
from alerts.models import Alarm, Contact, JournalEntry
from devices import moment, units
from plant import shifts, writing
from plant.pages import finding, pipeline
from plant.pages.alarms import hidden
from plant.pages.tree import Node, Tree, tree, tree_for
from plant.pages.words import catalogue_address
from plant.playback import OF_THE_PRESENT, address_at, has_past, instant, kept_since
from plant.readers import PLANT, reader_of
from plant.session import ENDS, looks_only
from plant.shifts import Worked
from plant.version import version

THEMES = ("dark", "light", "")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the navigation."""

    name: str  # of its address
    title: Any
    icon: str
    key: str = ""  # after g
    staff: bool = False

    @property
    def url(self) -> str:
        """Gives its address, or nothing where the page is not installed."""
        try:
            return reverse(self.name)
        except NoReverseMatch:
            return ""


MAIN_PAGES = (
    Page("overview", _("Overview"), "overview", "o"),
    Page("alarms", _("Alarms"), "alarms", "a"),
    Page("synoptics", _("Synoptics"), "synoptic", "y"),
    Page("map", _("Map"), "map", "l"),
    Page("trends", _("Trends"), "trends", "t"),
)
SETUP_PAGES = (
    Page("rules", _("Rules"), "rules", "u"),
    Page("subscriptions", _("My subscriptions"), "subscriptions", "s"),
    Page("deliveries", _("Messages sent"), "sent", "d"),
    Page("rationalisation", _("Rationalisation"), "check", "r"),
    Page("rotas", _("On call"), "user", "c"),
    Page("told", _("Who would be told?"), "note", "w"),
    Page("maintenance", _("Maintenance"), "wrench", "m"),
    Page("performance", _("Alarm performance"), "performance", "p"),
    Page("incident", _("Incident file"), "file", "i"),
    Page("admin:index", _("Plant setup"), "settings", staff=True),
)


_FLOOD_TOLD = _(
    "Counted by the clock, in intervals of ten minutes: since %(at)s the busiest operator position got %(count)s. "
    "From %(from)s in one interval it is a flood, which an interval of fewer than 5 ends. In the last 10 minutes the "
    "whole plant got %(recent)s."
)


class Shell:
    """The frame around one page; each part is read when the template asks for it."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.now = moment.now()
        self.flood_from = ABOVE + 1  # in an interval of ten minutes by the clock
        self.time_zone = timezone.get_current_timezone_name()

    @cached_property
    def tree(self) -> Tree:
        """Gives the plant's tree."""
        return tree_for(self.request)

    @cached_property
    def now_ms(self) -> int:
        """Gives the server's time for the page's clock."""
        return int(time.time() * 1000)

    @property
    def local_now(self) -> datetime:
        """Gives the time in the plant."""
        return timezone.localtime(self.now)

    @property
    def decimal_sign(self) -> str:
        """Gives the decimal sign of the person's language."""
        return str(get_format("DECIMAL_SEPARATOR"))

    @property
    def session_ends(self) -> int | str:
        """Gives when the session ends, in ms since 1970; nothing where that is not known."""
        ends: int | str = self.request.session.get(ENDS, "")
        return ends

    @property
    def languages(self) -> list[tuple[str, str, bool]]:
        """Gives the languages there are, in their own words, and which is this page's."""
        return [(code, str(name), code == get_language()) for code, name in settings.LANGUAGES]

    @property
    def clocks(self) -> list[tuple[str, str, bool]]:
        """Gives the clocks to choose from, where the person's is not the plant's, and which is this page's."""
        own = reader_of(self.request).own_zone
        if own is None:
            return []
        choices = [(PLANT, _("Plant time"), settings.TIME_ZONE), ("own", _("My time"), own.key)]
        return [(value, f"{word}, {zone}", zone == self.time_zone) for value, word, zone in choices]

    @property
    def other_zone(self) -> str:
        """Gives whose time the page tells where that is not the plant's, in short: New York."""
        if self.time_zone == settings.TIME_ZONE:
            return ""
        return self.time_zone.rpartition("/")[2].replace("_", " ")

    @property
    def words(self) -> str:
        """Gives the address of the scripts' words in the page's language; nothing in the sources' own."""
        return catalogue_address(get_language() or "")

    @property
    def theme(self) -> str:
        """Gives the person's theme, or nothing: as the system."""
        return reader_of(self.request).theme

    @property
    def sound(self) -> bool:
        """Tells whether alarms sound on the person's screens."""
        return reader_of(self.request).sound

    @property
    def single_keys(self) -> bool:
        """Tells whether keys that type something do something."""
        return reader_of(self.request).single_keys

    @property
    def density(self) -> str:
        """Gives wall for a display that shows everything one size up; the address goes before what is kept."""
        asked = self.request.GET.get("density", self.request.COOKIES.get("density"))
        return "wall" if asked == "wall" else ""

    @property
    def looks_only(self) -> bool:
        """Tells whether the person may change nothing, as the account of a wall display."""
        return looks_only(self.request.user)

    @property
    def version(self) -> str:
        """Gives which version of the pages this is."""
        return version()

    @cached_property
    def shifts(self) -> list[tuple[str, int, int]]:
        """Gives the shifts around now for the page's clock: name, from and to in ms since the epoch."""
        zone = ZoneInfo(settings.TIME_ZONE)
        known = shifts.around(shifts.parse(settings.SHIFTS), zone, self.now, days=3)
        return [
            (name, int(start.timestamp() * 1000), int(end.timestamp() * 1000))
            for name, start, end in known
            if end > self.now
        ]

    @property
    def shift(self) -> Worked | None:
        """Gives the shift that is at work."""
        return shifts.at(shifts.parse(settings.SHIFTS), ZoneInfo(settings.TIME_ZONE), self.now)

    @cached_property
    def tallies(self) -> dict[int | None, queries.Tally]:
        """Gives the open alarms of every asset with its subtree."""
        return queries.tallies(self.tree.parents)

    @property
    def tally(self) -> queries.Tally:
        """Gives the open alarms of the whole plant."""
        return self.tallies.get(None) or queries.Tally()

    @cached_property
    def alarm(self) -> Alarm | None:
        """Gives the alarm of the banner."""
        return queries.most_important()

    @property
    def alarm_node(self) -> Node | None:
        """Gives where the banner's alarm is."""
        return self.tree.nodes.get(self.alarm.asset_id) if self.alarm and self.alarm.asset_id else None

    @cached_property
    def floods(self) -> list[Flood]:
        """Gives the operator positions that are in a flood."""
        return self.load.floods

    @cached_property
    def load(self) -> Present:
        """Gives what is counted towards a flood: since when, how many. Cost: one query, three in a flood."""
        return present(self.now)

    @property
    def flood_told(self) -> str:
        """Gives how the indicator's title says what is counted, for the page's script to fill in."""
        return str(_FLOOD_TOLD)

    @property
    def flood_title(self) -> str:
        """Gives the same of now."""
        return self.flood_told % {
            "at": f"{timezone.localtime(self.load.since):%H:%M}",
            "count": self.load.most,
            "from": self.flood_from,
            "recent": self.recent,
        }

    @property
    def flooded(self) -> int:
        """Gives the alarms of the floods that last, since they began."""
        return sum(flood.total for flood in self.floods)

    @cached_property
    def raised(self) -> list[int]:
        """Gives the alarms raised in each ten seconds of the last ten minutes, the newest last."""
        return queries.raised_per_slot(self.now, slots=60, slot=timedelta(seconds=10))

    @property
    def recent(self) -> int:
        """Gives the alarms raised in the last ten minutes."""
        return sum(self.raised)

    @property
    def past(self) -> datetime | None:
        """Gives the past moment that the page is made for; None: it is live."""
        return moment.past()

    @property
    def past_ms(self) -> int | None:
        """Gives the same for the page's player."""
        return None if self.past is None else int(self.past.timestamp() * 1000)

    @property
    def has_past(self) -> bool:
        """Tells whether the page can be played back."""
        return has_past(self.request)

    @property
    def past_passed_over(self) -> datetime | None:
        """Gives the past moment that the address asks for where the page can only tell of the present."""
        match = self.request.resolver_match
        if match is None or match.url_name not in OF_THE_PRESENT:
            return None
        return instant(self.request.GET.get("at", ""))

    @property
    def before_now(self) -> str:
        """Gives the page's address ten minutes ago."""
        return address_at(self.request, self.now.replace(microsecond=0) - timedelta(minutes=10))

    @property
    def live_url(self) -> str:
        """Gives the page's address as of now."""
        return address_at(self.request, None)

    @property
    def kept_since(self) -> datetime | None:
        """Gives since when readings are kept, where the page's moment is before it. Cost: one query."""
        since = kept_since(timezone.now())
        return since if self.now < since else None

    @cached_property
    def alarms_unknown(self) -> bool:
        """Tells whether no alarm had been recorded by the page's moment in the past. Cost: one query; none now."""
        return self.past is not None and not JournalEntry.objects.exists()

    @property
    def calm(self) -> str:
        """Gives since when no alarm is open, and what else there is. Cost: two queries."""
        cleared = JournalEntry.objects.filter(event=Event.CLEAR).order_by("-pk").values_list("time", flat=True).first()
        shelved = hidden.counts()["shelved"]
        words = [gettext("No alarm has cleared yet.")]
        if cleared is not None:
            words = [gettext("The last one cleared at %(time)s.") % {"time": writing.moment(cleared, self.now)}]
        if shelved:
            words.append(gettext("Shelved: %(count)s.") % {"count": writing.number(shelved, 0)})
        return " ".join(words)

    @property
    def may_acknowledge(self) -> bool:
        """Tells whether the person may acknowledge alarms; nobody may in the past."""
        return self.past is None and self.request.user.has_perm("alerts.acknowledge_alarm")

    @property
    def may_shelve(self) -> bool:
        """Tells whether the person may shelve, reset and silence alarms."""
        return self.past is None and self.request.user.has_perm("alerts.shelve_alarm")

    @property
    def may_service(self) -> bool:
        """Tells whether the person may take alarms out of service."""
        return self.past is None and self.request.user.has_perm("alerts.service_alarm")

    @property
    def pages(self) -> list[Page]:
        """Gives the main pages."""
        return [page for page in MAIN_PAGES if page.url]

    @property
    def setup_pages(self) -> list[Page]:
        """Gives the further pages that the person may open."""
        staff = getattr(self.request.user, "is_staff", False)
        return [page for page in SETUP_PAGES if page.url and (staff or not page.staff)]

    @property
    def areas(self) -> list[tuple[Node, queries.Tally, str]]:
        """Gives the areas, or what stands in their place, with their open alarms and a short form of the name."""
        empty = queries.Tally()
        return [
            (panel.node, self.tallies.get(panel.node.pk, empty), abbreviation(panel.node.name))
            for panel in self.tree.panels
        ]

    @property
    def machines(self) -> int:
        """Gives how many machines the plant has."""
        return len(self.tree.cells)

    @cached_property
    def pipeline(self) -> pipeline.Health:
        """Gives how the way of the readings is doing."""
        return pipeline.health()


def abbreviation(name: str) -> str:
    """Gives two letters for the narrow navigation: Raw materials is RM."""
    words = [word for word in name.replace("-", " ").split() if word.lower() not in ("and", "und", "of", "the", "&")]
    letters = words[0][:2] if len(words) == 1 else words[0][:1] + words[1][:1] if words else "?"
    return letters.upper()


def context(request: HttpRequest) -> dict[str, Any]:
    """Gives the shell's template context. Cost: nothing until the template uses it."""
    return {"shell": SimpleLazyObject(lambda: Shell(request))}


@require_POST
def theme(request: HttpRequest) -> HttpResponseBase:
    """Stores the person's theme and goes back to where they were."""
    wanted = request.POST.get("theme", "")
    if wanted not in THEMES:
        return JsonResponse({"error": gettext("The theme is dark, light or empty.")}, status=400)
    assert request.user.is_authenticated  # the middleware lets nobody else in
    Contact.objects.update_or_create(user=request.user, defaults={"theme": wanted})
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=204)
    back = request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(back if allowed else reverse("overview"))


@require_GET
def find(request: HttpRequest) -> JsonResponse:
    """Gives what the words lead to: assets, sensors, alarms, rules, synoptics, people, pages; how many of each kind."""
    assert isinstance(request.user, User)  # the middleware lets nobody else in
    pages = [*MAIN_PAGES, *SETUP_PAGES]
    titles = [
        (str(page.title), page.icon, page.url)
        for page in pages
        if page.url and (not page.staff or getattr(request.user, "is_staff", False))
    ]
    found = finding.find(request.GET.get("q", ""), tree(), titles, request.user)
    return JsonResponse({"items": found.items, "counts": found.counts})


@require_GET
def places(request: HttpRequest) -> JsonResponse:
    """Gives the name, place and address of every asset by its code, and how units are written.

    For alarms that arrive by the socket.

    The address carries the plant model's revision, so that a browser asks once for each.
    """
    plant = tree()
    found = {node.code: [node.name, node.place, node.url, plant.head_of(node).code] for node in plant.nodes.values()}
    shown = {code: unit.display for code, unit in units.UNITS.items() if unit.display != code}
    answer = JsonResponse({"places": found, "units": shown}, json_dumps_params={"separators": (",", ":")})
    answer["Cache-Control"] = "private, max-age=604800"
    return answer
