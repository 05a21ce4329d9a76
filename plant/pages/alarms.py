"""The alarm console: what waits for me, in which order? Acknowledge, comment, look back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from alerts import queries, services
from alerts.changes import while_text
from alerts.flood.causes import causes
from alerts.flood.queries import floods
from alerts.models import Alarm, AlarmClass, JournalEntry, Position, Priority, Severity
from alerts.silence.queries import silent_parts
from devices.models import Level
from plant import writing
from plant.pages import alarm_actions
from plant.pages.reading import newest, shown
from plant.pages.tree import Node, Tree, tree_for
from plant.pages.trend import limits_when_raised, mark_of, trend_of
from plant.templatetags.andon import alarm_limit

ROWS = 200  # of the history on one page
MOST_OPEN = 1000  # of what stands now; who has more has other worries
BEFORE, AFTER = timedelta(minutes=20), timedelta(minutes=10)  # of an alarm's trend
TABS = (
    ("active", gettext_lazy("Active")),
    ("unacked", gettext_lazy("Unacked")),
    ("shelved", gettext_lazy("Shelved")),
    ("suppressed", gettext_lazy("Suppressed")),
    ("out_of_service", gettext_lazy("Out of service")),
    ("history", gettext_lazy("History")),
)


_WIDE = {Level.AREA, Level.SITE, Level.ENTERPRISE}  # wider than what one cause is looked for in
_SIGNS = {"high": "≥", "low": "≤", "rate_high": "≥", "rate_low": "≤", "deviation": "±"}


@dataclass(frozen=True, slots=True)
class Line:
    """An alarm with where it is and how long it stands."""

    alarm: Alarm
    node: Node | None
    seconds: float
    waits: bool  # for an acknowledgement
    word: str
    limit: str  # with its sign
    silent: bool  # it comes from a part of the plant that is not heard: nobody knows whether it still holds
    under: int | None = None  # in a flood: the alarm of its cause
    others: int = 0  # in a flood: how many stand under it
    priorities: Sequence[tuple[int, int]] = ()  # how many of each, itself among them


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; it stands in the address."""

    show: str
    priorities: tuple[int, ...]
    area: str
    words: str
    before: int | None
    flat: bool = False  # every alarm by itself, in a flood too

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        """Reads them from the address; what makes no sense is left out."""
        get = request.GET
        shown = get.get("show", "active")
        wanted = {int(part) for part in get.get("priority", "").split(",") if part in {"1", "2", "3", "4"}}
        before = get.get("before", "")
        return cls(
            shown if shown in dict(TABS) else "active",
            tuple(sorted(wanted)) or tuple(Priority.values),
            get.get("area", ""),
            get.get("q", "").strip()[:100],
            int(before) if before.isdecimal() else None,
            get.get("flat") == "1",
        )

    def address(self, **changes: Any) -> str:
        """Gives the list's address with some of the filters changed."""
        values = {
            "show": self.show,
            "priority": ",".join(map(str, self.priorities)) if len(self.priorities) < 4 else "",
            "area": self.area,
            "q": self.words,
            "flat": "1" if self.flat else "",
            **changes,
        }
        given = {key: value for key, value in values.items() if value and (key, value) != ("show", "active")}
        return f"{reverse('alarms')}?{urlencode(given)}" if given else reverse("alarms")

    def toggled(self, priority: int) -> str:
        """Gives the address with one priority switched on or off; the last one on stays."""
        left = set(self.priorities) ^ {priority}
        return self.address(priority=",".join(map(str, sorted(left))) if left and len(left) < 4 else "")


def _found(filters: Filters, plant: Tree) -> QuerySet[Alarm]:
    """Gives the alarms that the filters leave, in the list's order."""
    if filters.show == "history":
        found = queries.alarms().order_by("-pk")
        if filters.before is not None:
            found = found.filter(pk__lt=filters.before)
    else:
        found = queries.open_alarms().filter(suppressed=[])
        if filters.show == "unacked":
            found = found.filter(state__in=queries.UNACKED_STATES)
    if len(filters.priorities) < len(Priority.values):
        found = found.filter(priority__in=filters.priorities)
    if filters.area:
        node = plant.by_code.get(filters.area)
        found = found.filter(asset_id__in=[below.pk for below in node.walk()] if node else [])
    for word in filters.words.split():
        found = found.filter(Q(message__icontains=word) | Q(tag__icontains=word) | Q(asset_code__icontains=word))
    return found


def _line(alarm: Alarm, plant: Tree, now: datetime, silent: Collection[str]) -> Line:
    ended = alarm.cleared or (alarm.closed if alarm.closed else None)
    waits = alarm.closed is None and alarm.state in queries.UNACKED_STATES
    return Line(
        alarm,
        plant.nodes.get(alarm.asset_id) if alarm.asset_id else None,
        ((ended or now) - alarm.raised).total_seconds(),
        waits,
        _state_word(alarm),
        _limit_words(alarm),
        alarm.closed is None and alarm.rule_id is not None and bool({alarm.asset_code, alarm.tag} & set(silent)),
    )


def _state_word(alarm: Alarm) -> str:
    if alarm.closed is not None:
        return _("Over") if alarm.acked or not alarm.frozen.get("ack_required", True) else _("Over, never acked")
    if alarm.state == "D":
        return _("Cleared")
    if alarm.state == "E":
        return _("Latched, unacked")
    if alarm.state == "F":
        return _("Latched, acked")
    if alarm.state in queries.UNACKED_STATES:
        return _("Unacked")
    return _("Acked") if alarm.acked else _("Active")


def _limit_words(alarm: Alarm) -> str:
    """Gives the limit with the side on which it alarms."""
    if alarm.limit is None:
        return ""
    kind, figure = alarm.frozen.get("kind", ""), alarm_limit(alarm)
    return f"{_SIGNS[kind]} {figure}" if kind in _SIGNS else str(figure)


def _collapsed(lines: list[Line], plant: Tree, now: datetime) -> list[Line]:
    """Gives the lines by cause while the position that answers them is in a flood; else as they are."""
    flooded = {flood.position for flood in floods(now)}
    if not flooded:
        return lines

    def place(alarm: Alarm) -> int | None:
        at = plant.nodes.get(alarm.asset_id) if alarm.asset_id else None
        while at is not None and at.level != Level.LINE and at.parent is not None and at.parent.level not in _WIDE:
            at = at.parent
        return at.pk if at is not None else None

    by_number = {line.alarm.pk: line for line in lines}
    found = causes((line.alarm for line in lines), place, lambda alarm: alarm.position in flooded)
    ordered: list[Line] = []
    for cause in found:
        ordered.append(replace(by_number[cause.first.pk], others=len(cause.others), priorities=cause.priorities))
        ordered += [replace(by_number[alarm.pk], under=cause.first.pk) for alarm in cause.others]
    return ordered


@require_GET
def alarms(request: HttpRequest) -> HttpResponse:
    """Shows the list; `?fragment` gives its rows alone. Cost: the same number of queries for any number of alarms."""
    plant, filters, now = tree_for(request), Filters.of(request), timezone.now()
    if filters.show in queries.NOT_PRESENTED:
        return _not_presented(request, filters, plant, now)
    most = ROWS if filters.show == "history" else MOST_OPEN
    rows = list(_found(filters, plant)[: most + 1])
    silent = silent_parts()
    lines = [_line(alarm, plant, now, silent) for alarm in rows[:most]]
    lines = _collapsed(lines, plant, now) if filters.show != "history" and not filters.flat else lines
    cut = len(rows) > most
    context = {
        "lines": lines,
        "filters": filters,
        "more": filters.address(before=rows[most - 1].pk) if cut and filters.show == "history" else "",
        "cut": most if cut and filters.show != "history" else 0,
        "narrowed": len(filters.priorities) < 4 or bool(filters.area or filters.words),
    }
    return _console(request, filters, plant, "plant/alarms_rows.html", context)


def _not_presented(request: HttpRequest, filters: Filters, plant: Tree, now: datetime) -> HttpResponse:
    """Shows what is shelved, suppressed by design or out of service: rules, whether or not their alarm is raised."""
    rows = [row for row in alarm_actions.hidden(filters.show, now) if row.priority in filters.priorities]
    if filters.area:
        node = plant.by_code.get(filters.area)
        below = {inner.code for inner in node.walk()} if node else set()
        rows = [row for row in rows if row.asset in below]
    for word in filters.words.lower().split():
        rows = [row for row in rows if word in f"{row.message} {row.asset} {row.why} {row.by}".lower()]
    context = {
        "rows": rows,
        "filters": filters,
        "narrowed": len(filters.priorities) < 4 or bool(filters.area or filters.words),
    }
    return _console(request, filters, plant, "plant/alarms_hidden.html", context)


def _console(request: HttpRequest, filters: Filters, plant: Tree, rows: str, context: dict[str, Any]) -> HttpResponse:
    """Shows the console around some rows, or the rows alone."""
    if "fragment" in request.GET:
        return render(request, rows, context)
    counts = alarm_actions.counts()
    tabs = [(key, word, filters.address(show=key), counts.get(key)) for key, word in TABS]
    chips = [(priority, priority in filters.priorities, filters.toggled(priority)) for priority in Priority.values]
    selected = request.GET.get("alarm", "")
    return render(
        request,
        "plant/alarms.html",
        {
            **context,
            "title": _("Alarms"),
            "crumbs": [(plant.name, reverse("overview")), (_("Alarms"), "")],
            "current_page": "alarms",
            "row_template": rows,
            "tabs": tabs,
            "chips": chips,
            "selected": int(selected) if selected.isdecimal() else None,
        },
    )


def _alarm(pk: int) -> Alarm:
    """Gives an alarm that the person may see."""
    alarm = queries.alarms().filter(pk=pk).first()
    if alarm is None:
        raise Http404(_("There is no alarm %(number)s.") % {"number": pk})
    if alarm.sensor and alarm.asset and alarm.sensor.asset_id == alarm.asset.pk:
        alarm.sensor.asset = alarm.asset  # the row is here already
    return alarm


@require_GET
def alarm(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows one alarm with its cause, action and time line; `?fragment` gives the drawer's content alone."""
    plant, found, now = tree_for(request), _alarm(pk), timezone.now()
    line = _line(found, plant, now, silent_parts())
    context = {
        "line": line,
        "trend": _trend(found, now),
        "newest": shown(
            found.sensor,
            newest([found.sensor]).get(found.sensor.pk),
            now,
            alarm=found,
            unknown=bool({found.asset_code, found.tag} & set(silent_parts())),
        )
        if found.sensor
        else None,
        "entries": list(JournalEntry.objects.filter(alarm=found).order_by("pk")),
        "actions": [step.strip() for step in found.frozen.get("action", "").splitlines() if step.strip()],
        "condition": condition_of(found),
        "latched": found.closed is None and found.state in ("E", "F"),
        "suppression": queries.in_full(found)["suppression"] if found.suppressed and found.closed is None else None,
        "record": record_of(found),
    }
    if "fragment" in request.GET:
        return render(request, "plant/alarm_detail.html", context)
    crumbs = [
        (plant.name, reverse("overview")),
        (_("Alarms"), reverse("alarms")),
        (_("Alarm %(number)s") % {"number": found.pk}, ""),
    ]
    return render(
        request,
        "plant/alarm.html",
        {
            **context,
            "title": found.message,
            "crumbs": crumbs,
            "current_page": "alarms",
            "subscribe": [found.sensor.asset.code] if found.sensor else None,
        },
    )


def record_of(alarm: Alarm) -> list[tuple[str, str]]:
    """Gives what is frozen into the alarm beside cause, consequence and action: words with their values.

    Cost: a query for a class, and one for a position.
    """
    frozen, found = alarm.frozen, []
    if severity := frozen.get("severity"):
        found.append((_("Severity"), str(Severity(severity).label)))
    for field, model, word in (("alarm_class", AlarmClass, _("Class")), ("position", Position, _("Operator position"))):
        if code := frozen.get(field):
            name = model.objects.filter(code=code).values_list("name", flat=True).first()
            found.append((word, name or code))
    if frozen.get("suppress_when"):
        found.append((_("Suppressed while"), "; ".join(while_text(one) for one in frozen["suppress_when"])))
    return found


def _trend(alarm: Alarm, now: datetime) -> dict[str, Any] | None:
    """Gives what the script needs to draw the sensor around the alarm; None where there is nothing to draw."""
    sensor = alarm.sensor
    if sensor is None or sensor.labels:
        return None
    ended = alarm.cleared or alarm.closed
    return {
        **trend_of(sensor, limits_when_raised(alarm)),
        "asset": sensor.asset.code,
        "from": (alarm.raised - BEFORE).timestamp(),
        # None: until now, as long as it stands.
        "until": None if ended is None or ended + AFTER > now else (ended + AFTER).timestamp(),
        "marks": [mark_of(alarm)],
    }


def condition_of(alarm: Alarm) -> str:
    """Gives in words what its rule asked for when the alarm was raised."""
    return condition_words(alarm.frozen, alarm.unit)


def condition_words(rule: Mapping[str, Any], unit_code: str) -> str:
    """Gives in words what a rule asks for. Takes: its fields; the code of its sensor's unit."""
    unit = writing.unit(unit_code)
    kind = rule.get("kind", "")
    sentences = {
        "high": _("at or over %(limit)s %(unit)s"),
        "low": _("at or under %(limit)s %(unit)s"),
        "outside": _("outside %(low)s to %(high)s %(unit)s"),
        "equals": _("equal to %(value)s"),
        "not_equals": _("different from %(value)s"),
        "rate_high": _("rising by %(limit)s %(unit)s or more in %(per)s s"),
        "rate_low": _("changing by %(limit)s %(unit)s or less in %(per)s s"),
        "deviation": _("%(limit)s %(unit)s or more away from %(reference)s"),
        "expression": _("%(expression)s"),
        "stale": _("no reading for %(timeout)s\u00a0s"),
        "flatline": _("no change for %(duration)s\u00a0s"),
    }
    if kind not in sentences:
        return ""
    figures = {key: f"{value:g}" if isinstance(value, float) else value for key, value in rule.items()}
    words = sentences[kind] % {**figures, "unit": unit}
    delay = rule.get("on_delay") or 0
    return _("%(condition)s for %(delay)s\u00a0s") % {"condition": words, "delay": f"{delay:g}"} if delay else words


def _back(request: HttpRequest, pk: int) -> str:
    """Gives where a form came from, if that is one of our pages."""
    back = request.POST.get("next") or request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if allowed else reverse("alarm", args=[pk])


def _answer(request: HttpRequest, pk: int, words: str, *, status: int = 200, **more: Any) -> HttpResponseBase:
    """Tells a script in JSON, and a form by its page."""
    if request.headers.get("X-Requested-With") == "fetch":
        key = "message" if status < 400 else "error"
        return JsonResponse({key: words, **more}, status=status)
    (messages.success if status < 400 else messages.warning)(request, words)
    return redirect(_back(request, pk))


def _acknowledger(request: HttpRequest) -> User:
    """Gives the person, if they may acknowledge and comment."""
    if not isinstance(request.user, User) or not request.user.has_perm("alerts.acknowledge_alarm"):
        raise PermissionDenied(_("You can look. An administrator can let you acknowledge alarms."))
    return request.user


@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Acknowledges one occurrence; who comes second is told who was first."""
    user = _acknowledger(request)
    _alarm(pk)
    try:
        done = services.acknowledge(alarm_id=pk, user=user, comment=request.POST.get("comment", ""), now=timezone.now())
    except services.Refused as error:
        return _answer(request, pk, str(error), status=409)
    return _answer(request, pk, done.message, done=done.done, by=done.by, alarm=queries.as_json(_alarm(pk)))


@require_POST
def comment(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Writes a comment into an occurrence's journal."""
    user = _acknowledger(request)
    _alarm(pk)
    try:
        services.comment(alarm_id=pk, user=user, text=request.POST.get("comment", ""), now=timezone.now())
    except services.Refused as error:
        return _answer(request, pk, str(error), status=409)
    return _answer(request, pk, _("Comment written."))
