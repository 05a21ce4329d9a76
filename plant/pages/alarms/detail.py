"""One alarm: why it fired, what came before it, what happens if nobody acts, what to do, and what was done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from alerts import queries
from alerts.changes import while_text
from alerts.models import Alarm, AlarmClass, Delivery, JournalEntry, Position, Severity, Suppressor
from alerts.sayings import why
from alerts.silence.queries import silent_parts
from devices import moment
from plant.pages.alarms.conditions import condition_of
from plant.pages.alarms.lines import line_of
from plant.pages.reading import newest, shown
from plant.pages.tree import Tree, tree_for
from plant.pages.trend import explorer, limits_when_raised, mark_of, return_of, trend_of

BEFORE, AFTER = timedelta(minutes=20), timedelta(minutes=10)  # of an alarm's trend
EARLIER = timedelta(minutes=30)  # in which an alarm of the same line may have to do with it
MOST_EARLIER = 3
MOST_MESSAGES = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the time line."""

    time: datetime
    kind: str  # the journal's event, or told
    who: str
    words: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another alarm or rule that this one hides, or that hides it; with the open alarm, if there is one."""

    asset: str
    name: str
    alarm: int | None


def alarm_of(pk: int) -> Alarm:
    """Gives an alarm that the person may see. Raises: Http404."""
    alarm = queries.alarms().filter(pk=pk).first()
    if alarm is None:
        raise Http404(_("There is no alarm %(number)s.") % {"number": pk})
    if alarm.sensor and alarm.asset and alarm.sensor.asset_id == alarm.asset.pk:
        alarm.sensor.asset = alarm.asset  # the row is here already
    return alarm


@require_GET
def alarm(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows one alarm; `?fragment` gives the drawer's content alone. Cost: at most 30 queries."""
    plant, found, now = tree_for(request), alarm_of(pk), moment.now()
    silent = silent_parts()
    before = earlier(found, plant)
    context = {
        "line": line_of(found, plant, now, silent),
        "trend": _trend(found, before, now),
        "newest": _newest(found, silent, now),
        "steps": time_line(found),
        "actions": [step.strip() for step in found.frozen.get("action", "").splitlines() if step.strip()],
        "condition": condition_of(found),
        "latched": found.closed is None and found.state in ("E", "F"),
        "suppression": queries.in_full(found)["suppression"] if found.suppressed and found.closed is None else None,
        "before": before,
        "hides": _neighbours(found, above=False),
        "hidden_by": _neighbours(found, above=True),
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


def _newest(alarm: Alarm, silent: Collection[str], now: datetime) -> Any:
    if alarm.sensor is None:
        return None
    reading = newest([alarm.sensor]).get(alarm.sensor.pk)
    unknown = bool({alarm.asset_code, alarm.tag} & set(silent))
    return shown(alarm.sensor, reading, now, alarm=alarm, unknown=unknown)


def earlier(alarm: Alarm, plant: Tree) -> list[tuple[Alarm, timedelta]]:
    """Gives what was raised on the same line shortly before an alarm, the first of it first, and how long before.

    It is what came before and no more: nobody says that it is the cause. Cost: one query.
    """
    node = plant.nodes.get(alarm.asset_id) if alarm.asset_id else None
    if node is None:
        return []
    near = Alarm.objects.filter(
        asset_id__in=[below.pk for below in plant.line_of(node).walk()],
        raised__gte=alarm.raised - EARLIER,
        raised__lt=alarm.raised,
        annunciations__gt=0,
    ).exclude(rule=alarm.rule_id)
    return [(one, alarm.raised - one.raised) for one in near.order_by("raised", "pk")[:MOST_EARLIER]]


def time_line(alarm: Alarm) -> list[Step]:
    """Gives what happened to an alarm and who was told of it, in order. Cost: two queries."""
    steps = [
        Step(entry.time, entry.event, entry.actor, why(entry.event, entry.actor, entry.reason))
        for entry in JournalEntry.objects.filter(alarm=alarm).order_by("pk")
    ]
    sent = Delivery.objects.filter(alarm=alarm, outcome=Delivery.Outcome.SENT, sent__lte=moment.now())
    for one in sent.select_related("user", "team").order_by("pk")[:MOST_MESSAGES]:
        name = one.team.name if one.team else one.user.get_full_name() or one.user.get_username() if one.user else ""
        words = _("%(channel)s to %(name)s") % {"channel": one.get_channel_display(), "name": name}
        steps.append(Step(one.sent, "told", "", words))  # type: ignore[arg-type]  # sent is not null here
    return sorted(steps, key=lambda step: step.time)


def _neighbours(alarm: Alarm, *, above: bool) -> list[Neighbour]:
    """Gives what an open alarm hides now, or what hides it. Cost: at most two queries, none for one that is over."""
    if alarm.closed is not None or alarm.rule_id is None or (above and "by_design" not in alarm.suppressed):
        return []
    near = Suppressor.objects.filter(**{"rule" if above else "by": alarm.rule_id}, by__isnull=False)
    rows = [
        row.by if above else row.rule
        for row in near.select_related("rule__suppression", "rule__asset", "by__asset").order_by("pk")
        if row.words in getattr(getattr(row.rule, "suppression", None), "designed", ())
    ]
    rules = {rule.pk: rule for rule in rows if rule is not None}
    if not rules:
        return []
    standing = dict(Alarm.objects.filter(rule__in=rules, closed=None).order_by().values_list("rule", "pk"))
    return [Neighbour(rule.asset.code, rule.name, standing.get(pk)) for pk, rule in rules.items()]


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


def _trend(alarm: Alarm, before: list[tuple[Alarm, timedelta]], now: datetime) -> dict[str, Any] | None:
    """Gives what the script needs to draw the sensor around the alarm; None where there is nothing to draw."""
    sensor = alarm.sensor
    if sensor is None or sensor.labels:
        return None
    ended = alarm.cleared or alarm.closed
    marks = [mark_of(one) for one, _ago in before] + [mark_of(alarm)]
    if alarm.cleared is not None:
        marks.append(return_of(alarm))
    return {
        **trend_of(sensor, limits_when_raised(alarm)),
        "asset": sensor.asset.code,
        "from": (alarm.raised - BEFORE).timestamp(),
        # None: until now, as long as it stands.
        "until": None if ended is None or ended + AFTER > now else (ended + AFTER).timestamp(),
        "marks": marks,
        "explorer": explorer([sensor.tag], alarm.raised - BEFORE, ended and ended + AFTER, now),
    }
