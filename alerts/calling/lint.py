"""What is wrong with who is called: what reaches nobody, rotas with gaps, dead addresses, idle routes, empty teams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts.calling import rota as rotas
from alerts.calling import wall
from alerts.calling.decision import Person
from alerts.calling.directory import Directory, load_rotas, route_of, zone_of
from alerts.calling.plan import Route, in_order
from alerts.calling.wall import Hours
from alerts.models import (
    AlarmClass,
    CallPlan,
    CallRoute,
    CallStep,
    Delivery,
    Membership,
    Priority,
    Rota,
    RotaTurn,
    Rule,
    Subscription,
    Team,
    TeamChannel,
)
from alerts.notify.channels import NOTIFIERS
from alerts.writing import stamp
from devices.models import Asset

AHEAD = timedelta(days=30)  # rotas are looked through so far
WEEK = timedelta(days=7)  # for hours at which nobody is reached, and for refused messages
SHOWN = 3  # gaps of one rota that are named


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    kind: str  # nobody, gap, address, route, plan, team
    about: str
    words: str
    asset: int | None = None
    rota: int | None = None


@dataclass(frozen=True, slots=True)
class _Way:
    """One way in which alarms reach somebody; hours None: at any time."""

    hours: Hours | None
    zone: ZoneInfo


def lint(now: datetime) -> list[Finding]:
    """Gives all that is wrong, by kind.

    Cost: about thirty queries for any size of plant.
    """
    plans = list(
        CallPlan.objects.select_related("fallback").prefetch_related("steps", "steps__rota", "steps__team", "routes")
    )
    crew = _Crew(now, plans)
    routes = [route_of(row) for row in CallRoute.objects.filter(enabled=True).order_by()]
    rules = list(Rule.objects.filter(enabled=True).values_list("asset_id", "priority", "alarm_class").order_by())
    return [
        *_unheard(rules, routes, crew),
        *_gaps(now),
        *_addresses(crew, now),
        *_idle_routes(rules, routes, crew),
        *_plans(plans, crew),
        *_teams(crew),
    ]


class _Crew:
    """Who can be reached, by subscription, step, team and rota."""

    def __init__(self, now: datetime, plans: Collection[CallPlan]) -> None:
        self.now = now
        self.directory = Directory(now)
        self.plans = {plan.pk: plan for plan in plans}
        self._reaches: dict[tuple[int, int], bool] = {}
        self.subscriptions = list(
            Subscription.objects.filter(enabled=True).select_related("user", "user__contact", "asset").order_by("pk")
        )
        self.teams: dict[int, list[int]] = defaultdict(list)
        for team, user in Membership.objects.order_by("pk").values_list("team", "user"):
            self.teams[team].append(user)
        self.channels: dict[int | None, list[TeamChannel]] = defaultdict(list)
        for channel in TeamChannel.objects.order_by("name"):
            self.channels[channel.team_id].append(channel)
        self.rotas: dict[int, list[int]] = defaultdict(list)
        for rota, user in RotaTurn.objects.order_by().values_list("layer__rota", "user"):
            self.rotas[rota].append(user)
        # Who is named anywhere, and where.
        self.named: dict[int, list[str]] = defaultdict(list)
        for subscription in self.subscriptions:
            self.directory.know(subscription.user)
        for row in Membership.objects.select_related("team"):
            self.named[row.user_id].append(_("team %(name)s") % {"name": row.team.name})
        names = dict(Rota.objects.values_list("pk", "name"))
        for rota, users in self.rotas.items():
            for user in set(users):
                self.named[user].append(_("rota %(name)s") % {"name": names[rota]})
        for plan in plans:
            for step in plan.steps.all():
                if step.person_id is not None:
                    self.named[step.person_id].append(_("plan %(name)s") % {"name": plan.name})
        self.directory.meet(self.named)

    def person(self, pk: int) -> Person | None:
        """Gives somebody, if they are there."""
        return self.directory.people.get(pk)

    def reachable(self, pk: int) -> bool:
        """Tells whether a call reaches somebody."""
        person = self.person(pk)
        return person is not None and person.active and any(person.addresses.values())

    def calls(self, step: CallStep) -> list[int]:
        """Gives whom a step may call."""
        if step.rota_id is not None:
            fallback = step.plan.fallback_id
            return [*self.rotas.get(step.rota_id, ()), *(self.teams.get(fallback, ()) if fallback else ())]
        if step.team_id is not None:
            return self.teams.get(step.team_id, [])
        return [step.person_id] if step.person_id is not None else self.directory.everybody

    def step_reaches(self, step: CallStep, priority: int) -> bool:
        """Tells whether a step reaches a person, or a team by a channel of its own, for alarms of a priority."""
        team = step.plan.fallback_id if step.rota_id is not None else step.team_id
        channels = self.channels.get(team, ()) if team is not None else ()
        return any(priority <= channel.lowest_priority for channel in channels) or any(
            self.reachable(user) for user in self.calls(step)
        )

    def reaches(self, plan: int, priority: int) -> bool:
        """Tells whether a plan reaches somebody for alarms of a priority."""
        if (plan, priority) not in self._reaches:
            steps = [step for step in self.plans[plan].steps.all() if priority <= step.lowest_priority]
            self._reaches[plan, priority] = any(self.step_reaches(step, priority) for step in steps)
        return self._reaches[plan, priority]


# --- Alarms that reach nobody --------------------------------------------------------------------------------------


def _unheard(rules: Iterable[tuple[int, int, str]], routes: Collection[Route], crew: _Crew) -> Iterator[Finding]:
    """Finds the rules whose alarms reach nobody, or nobody at some hours; one finding for an asset and priority."""
    counts: dict[tuple[int, int, str], int] = defaultdict(int)
    for asset, priority, alarm_class in rules:
        counts[asset, priority, alarm_class] += 1
    names = dict(Asset.objects.filter(pk__in={asset for asset, _, _ in counts}).values_list("pk", "name"))
    weeks: dict[tuple[_Way, ...], str] = {}
    for (asset, priority, alarm_class), count in sorted(
        counts.items(), key=lambda item: (item[0][1], names[item[0][0]])
    ):
        ways = tuple(_ways(asset, priority, alarm_class, routes, crew))
        about = names[asset]
        which = ngettext("%(count)s %(level)s alarm", "%(count)s %(level)s alarms", count) % {
            "count": count,
            "level": Priority(priority).label.lower(),
        }
        if not ways:
            yield Finding("nobody", about, _("%(which)s: nobody is told.") % {"which": which}, asset=asset)
        elif not any(way.hours is None for way in ways):
            if (key := ways) not in weeks:
                weeks[key] = _unheard_hours(ways, crew.now)
            if weeks[key]:
                words = _("%(which)s: nobody is told %(hours)s.") % {"which": which, "hours": weeks[key]}
                yield Finding("nobody", about, words, asset=asset)


def _ways(asset: int, priority: int, alarm_class: str, routes: Collection[Route], crew: _Crew) -> Iterator[_Way]:
    """Gives the ways in which alarms of an asset reach somebody who has an address."""
    path = crew.directory.plant.path(asset)
    for row in crew.subscriptions:
        person = crew.directory.people[row.user_id]
        meets = (row.asset_id is None or row.asset_id in path) and priority <= row.lowest_priority
        if meets and person.active and person.addresses.get(row.channel):
            yield _Way(_frozen(row.hours), person.zone)
    for route in routes:
        meets = (route.asset is None or route.asset in path) and route.highest <= priority <= route.lowest
        if meets and route.alarm_class in ("", alarm_class) and crew.reaches(route.plan, priority):
            yield _Way(_frozen(route.hours), zone_of(""))


def _frozen(hours: Hours | None) -> Hours | None:
    """Gives weekly hours that can stand in a set."""
    return None if hours is None else tuple(tuple(tuple(span) for span in day) for day in hours)


def _unheard_hours(ways: Collection[_Way], now: datetime) -> str:
    """Gives the first stretch of the coming week in which no way is open, or nothing."""
    start, end = now, now + WEEK
    covered = sorted(
        span for way in ways if way.hours is not None for span in wall.spans(way.hours, way.zone, start, end)
    )
    at, zone = start, zone_of("")
    for opens, closes in covered:
        if opens > at:
            return _stretch(at, opens, zone)
        at = max(at, closes)
    return _stretch(at, end, zone) if at < end else ""


def _stretch(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Gives "from Mon 2 Mar 22:00 to Tue 3 Mar 06:00"."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    return _("from %(start)s to %(end)s") % {
        "start": stamp(first),
        "end": stamp(last),
    }


# --- Rotas, people, routes, plans ----------------------------------------------------------------------------------


def _gaps(now: datetime) -> Iterator[Finding]:
    """Finds the stretches of the coming days in which a rota has nobody."""
    names = dict(Rota.objects.order_by("name").values_list("pk", "name"))
    for pk, rota in load_rotas(None, since=now).items():
        found = rotas.gaps(rota, now, now + AHEAD)
        if not found:
            continue
        shown = "; ".join(_stretch(gap.start, gap.end, rota.zone) for gap in found[:SHOWN])
        more = len(found) - SHOWN
        rest = ngettext(", and %(count)s more gap", ", and %(count)s more gaps", more) % {"count": more}
        words = _("Nobody is on call %(shown)s%(rest)s.") % {"shown": shown, "rest": rest if more > 0 else ""}
        yield Finding("gap", names[pk], words, rota=pk)


def _addresses(crew: _Crew, now: datetime) -> Iterator[Finding]:
    """Finds people who cannot be reached where they are to be."""
    for pk, places in sorted(crew.named.items()):
        person = crew.person(pk)
        if person is None:
            continue
        where = ", ".join(sorted(set(places)))
        if not person.active:
            yield Finding("address", person.name, _("Account switched off, named in %(where)s.") % {"where": where})
        elif not any(person.addresses.values()):
            yield Finding("address", person.name, _("No address at all, named in %(where)s.") % {"where": where})
    for row in crew.subscriptions:
        person = crew.directory.people[row.user_id]
        if person.active and not person.addresses.get(row.channel):
            words = _("A subscription, but %(missing)s.") % {"missing": NOTIFIERS[row.channel].missing}
            yield Finding("address", person.name, words)
    dead = Delivery.objects.filter(outcome=Delivery.Outcome.DEAD, created__gt=now - WEEK).exclude(address="")
    ways = dead.order_by("user_id", "team_id", "channel", "address")
    whose: Iterable[tuple[int | None, int | None, str, str]] = ways.values_list(
        "user_id", "team_id", "channel", "address"
    ).distinct()
    for user, team, channel, address in whose:
        last = Delivery.objects.filter(user=user, team=team, channel=channel, address=address).exclude(
            outcome__in=(Delivery.Outcome.WITHHELD, Delivery.Outcome.DUE)
        )
        newest = last.order_by("-pk").values_list("outcome", flat=True).first()
        if newest == Delivery.Outcome.DEAD:
            words = _("The last message to %(address)s was given up.") % {"address": address}
            if user is not None:
                yield Finding("address", crew.directory.know(User.objects.get(pk=user)).name, words)
            elif team is not None:
                yield Finding("address", TeamChannel.objects.select_related("team").get(pk=team).belongs_to, words)


def _idle_routes(rules: Iterable[tuple[int, int, str]], routes: Collection[Route], crew: _Crew) -> Iterator[Finding]:
    """Finds the routes that no alarm can take."""
    facts = set(rules)
    classes = set(AlarmClass.objects.values_list("code", flat=True))
    plant = crew.directory.plant
    ordered = in_order(routes, {one.asset: len(plant.path(one.asset)) for one in routes if one.asset is not None})
    for place, route in enumerate(ordered):
        about = crew.directory.words(route)
        if route.alarm_class and route.alarm_class not in classes:
            yield Finding("route", about, _("There is no class %(code)s.") % {"code": route.alarm_class})
            continue
        meets = any(
            (route.asset is None or route.asset in plant.path(asset))
            and route.highest <= priority <= route.lowest
            and route.alarm_class in ("", alarm_class)
            for asset, priority, alarm_class in facts
        )
        if not meets:
            yield Finding("route", about, _("No rule in force raises such alarms."))
        elif any(_hides(other, route) for other in ordered[:place]):
            yield Finding("route", about, _("A route before it takes all its alarms."))


def _hides(first: Route, route: Route) -> bool:
    """Tells whether a route that is tried before another leaves it nothing."""
    return (
        first.asset == route.asset
        and first.highest <= route.highest
        and first.lowest >= route.lowest
        and first.alarm_class == route.alarm_class
        and first.hours in (None, route.hours)
    )


def _plans(plans: Iterable[CallPlan], crew: _Crew) -> Iterator[Finding]:
    """Finds the plans that call nobody, or have none to turn to."""
    for plan in plans:
        steps = list(plan.steps.all())
        if not steps:
            yield Finding("plan", plan.name, _("It has no steps."))
        for number, step in enumerate(steps, 1):
            if not crew.step_reaches(step, Priority.CRITICAL):
                yield Finding("plan", plan.name, _("Step %(number)s reaches nobody.") % {"number": number})
            if step.rota_id is not None and plan.fallback is None:
                words = _("Step %(number)s: nobody is called where nobody is on call. Name a team for that.")
                yield Finding("plan", plan.name, words % {"number": number})


def _teams(crew: _Crew) -> Iterator[Finding]:
    """Finds the teams that have neither people nor a channel, and the channels that no team has."""
    for team in Team.objects.order_by("name", "pk"):
        if not crew.teams.get(team.pk) and not crew.channels.get(team.pk):
            yield Finding("team", team.name, _("It has neither people nor a channel."))
    for channel in crew.channels.get(None, ()):
        yield Finding("team", channel.name, _("A channel of no team: nothing is sent to it."))
