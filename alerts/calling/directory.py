"""Who is there to be called: people, rotas, plans, routes and maintenance, read once for a decision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone, translation

from alerts.calling import rota as rotas
from alerts.calling.decision import CRITICAL, HOUR, PRESSING, TEAM, Criticals, Ledger, Person, Post, Way, Wish
from alerts.calling.plan import Plan, Route, Step, Whom, in_order
from alerts.lifecycle import Event
from alerts.models import (
    PERSONAL,
    Alarm,
    CallPlan,
    CallRoute,
    CallStep,
    Delivery,
    Holiday,
    MaintenanceWindow,
    Priority,
    Rota,
    RotaLayer,
    RotaOverride,
    RotaTurn,
    Team,
    TeamChannel,
)
from alerts.notify.channel import contact_of
from alerts.notify.channels import NOTIFIERS
from devices.models import Asset
from devices.topology import Topology, topology

# By which channels a call reaches somebody who has not said: all for what is urgent, email for the rest.
USUAL: Mapping[int, tuple[str, ...]] = {
    Priority.CRITICAL: tuple(map(str, PERSONAL)),
    Priority.HIGH: tuple(map(str, PERSONAL)),
    Priority.MEDIUM: ("email",),
    Priority.LOW: ("email",),
}
MISSING: Mapping[str, str] = {str(name): notifier.missing for name, notifier in NOTIFIERS.items()}
_SWITCHES = {"shelved": "shelved", "by_design": "suppressed by design", "out_of_service": "out of service"}
# Counts as a message of the last hour.
COUNTED = (Delivery.Outcome.DUE, Delivery.Outcome.SENDING, Delivery.Outcome.SENT)
# Somebody was told by it, or is about to be: by itself, or in a digest.
TOLD = (*COUNTED, Delivery.Outcome.GATHERED)


def zone_of(name: str) -> ZoneInfo:
    """Gives a time zone; the plant's where the name is empty or unknown."""
    try:
        return ZoneInfo(name or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(settings.TIME_ZONE)


@contextmanager
def in_the_words_of(user: User | None) -> Iterator[None]:
    """Writes texts in a person's language and times by their clock; without a person, in the plant's."""
    contact = contact_of(user) if user is not None else None
    language = (contact.language if contact is not None else "") or settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(zone_of(contact.time_zone if contact is not None else "")):
        yield


def person_of(user: User) -> Person:
    """Gives somebody with what they wish. Cost: none where the contact is loaded."""
    contact = contact_of(user)
    addresses = {str(way): NOTIFIERS[way].address(user, contact) for way in PERSONAL}
    name = user.get_full_name() or user.get_username()
    if contact is None:
        return Person(
            user.pk,
            name,
            zone_of(""),
            addresses,
            user.is_active,
            channels=USUAL,
            hard_limit=settings.MESSAGES_PER_HOUR,
        )
    wished = {int(priority): tuple(ways) for priority, ways in contact.channels.items()}
    return Person(
        id=user.pk,
        name=name,
        zone=zone_of(contact.time_zone),
        addresses=addresses,
        active=user.is_active,
        quiet=contact.quiet_hours,
        quiet_lets=contact.quiet_lets,
        channels={**USUAL, **wished},
        digest_from=contact.digest_from,
        limit=contact.hourly_limit,
        calls_also_clear=contact.calls_also_clear,
        hard_limit=settings.MESSAGES_PER_HOUR,
    )


def ledger(people: Collection[int], now: datetime) -> Ledger:
    """Gives what some people were sent within the hour. Cost: one query, none for nobody."""
    sent: dict[int, list[datetime]] = {}
    returns: dict[int, list[datetime]] = {}
    if people:
        rows = Delivery.objects.filter(user__in=people, due__gt=now - HOUR, outcome__in=COUNTED).exclude(event="test")
        for person, event, due in rows.order_by().values_list("user_id", "event", "due"):
            (returns if event == Event.CLEAR else sent).setdefault(person, []).append(due)
    return Ledger(sent, returns)


def criticals(people: Collection[int], channels: Collection[int], now: datetime) -> Criticals:
    """Gives what some people and teams' channels were told of critical alarms within the minute, or wait to be told.

    Cost: one query, none for nobody.
    """
    told: dict[Way, datetime] = {}
    first_outs: dict[Way, datetime] = {}
    digests: dict[Way, datetime] = {}
    if people or channels:
        lately = Q(outcome__in=TOLD, due__gt=now - PRESSING) | Q(outcome=Delivery.Outcome.HELD, flood=True)
        rows = Delivery.objects.filter(Q(user__in=people) | Q(team__in=channels), lately, alarm__priority=CRITICAL)
        columns: Iterable[tuple[int | None, int | None, str, str, datetime, bool]] = (
            rows.exclude(event=Event.CLEAR)
            .order_by("due")
            .values_list("user_id", "team_id", "channel", "outcome", "due", "alarm__first_out")
        )
        for person, team, channel, outcome, due, first_out in columns:
            way = (TEAM, team) if team is not None else (channel, person or 0)
            if outcome == Delivery.Outcome.HELD:
                digests.setdefault(way, due)
                continue
            told[way] = due
            if first_out:
                first_outs[way] = due
    return Criticals(told, first_outs, digests)


@dataclass(slots=True)
class Asked:
    """Whom steps call: people by their ways, and teams by channels of their own."""

    wishes: list[Wish] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    nobody: dict[str, str] = field(default_factory=dict)  # why a step, as run.round.step, has nobody to call

    def of_no_step(self) -> Asked:
        """Gives the same people and channels, called by no step yet."""
        wishes = [replace(wish, step="") for wish in self.wishes]
        return Asked(wishes, [replace(post, step="") for post in self.posts])


@dataclass(frozen=True, slots=True)
class _Called:
    """Whom one step calls, and in what capacity."""

    people: Sequence[int]
    why: str
    on_call: bool = False  # it is their duty
    channels: Sequence[int] = ()  # of the team that is called


class Directory:
    """What decides who is called from a moment on; each part is read when it is first asked for, and once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.people: dict[int, Person] = {}
        self.uncovered: set[int] = set()  # rotas in which somebody was looked for and nobody found
        self._plans: dict[int, CallPlan] = {}
        self._rotas: dict[int, rotas.Rota] = {}
        self._names: dict[int, str] = {}
        self._channels: dict[int, TeamChannel | None] = {}

    @cached_property
    def plant(self) -> Topology:
        """Gives the plant's tree. Cost: one query."""
        return topology()

    # --- Routes and maintenance ------------------------------------------------------------------------------------

    @cached_property
    def routes(self) -> list[Route]:
        """Gives the routes in force, as they are tried. Cost: one query."""
        rows = CallRoute.objects.filter(enabled=True).order_by()
        found = [route_of(row) for row in rows]
        return in_order(found, {one.asset: len(self.plant.path(one.asset)) for one in found if one.asset is not None})

    @cached_property
    def windows(self) -> list[MaintenanceWindow]:
        """Gives the maintenance that is under way or to come, what ends last first. Cost: one query."""
        return list(MaintenanceWindow.objects.filter(end__gt=self.now).select_related("asset").order_by("-end", "pk"))

    def window(self, asset: int | None, at: datetime) -> MaintenanceWindow | None:
        """Gives the maintenance under which an asset is."""
        if asset is None or not self.windows:
            return None
        path = self.plant.path(asset)
        return next((one for one in self.windows if one.asset_id in path and one.start <= at < one.end), None)

    def withheld(self, alarm: Alarm, at: datetime) -> str:
        """Gives why nobody is told of an alarm at a moment, or nothing."""
        if alarm.suppressed:
            return in_words(alarm.suppressed)
        window = self.window(alarm.asset_id, at)
        return "" if window is None else maintained(window)

    def plan_for(self, *, asset: int | None, priority: int, alarm_class: str, at: datetime) -> Plan | None:
        """Gives the plan that an alarm takes, as it is to be frozen. Cost: seven queries for a new plan."""
        path = self.plant.path(asset) if asset is not None and self.routes else []
        zone = zone_of("")
        route = next((one for one in self.routes if one.meets(path, priority, alarm_class, at, zone)), None)
        return None if route is None else self._frozen(route, priority)

    def _frozen(self, route: Route, priority: int) -> Plan:
        plan = self._plan(route.plan)
        after, steps = 0.0, []
        for number, row in enumerate(plan.steps.all(), 1):
            after += row.wait
            if priority <= row.lowest_priority:
                steps.append(_step(row, after, number, priority))
        fallback = plan.fallback
        return Plan(
            name=plan.name,
            steps=tuple(steps),
            route=route.id,
            why=self.words(route),
            rounds=plan.repeat + 1,
            round_seconds=after + plan.repeat_after,
            stops_on_return=plan.stops_on_return,
            fallback=_members(fallback) if fallback is not None else (),
            fallback_name=fallback.name if fallback is not None else "",
            fallback_channels=_channels(fallback, priority) if fallback is not None else (),
        )

    def _plan(self, pk: int) -> CallPlan:
        if pk not in self._plans:
            rows = CallPlan.objects.select_related("fallback").prefetch_related(
                "fallback__memberships",
                "fallback__channels",
                "steps__team__memberships",
                "steps__team__channels",
                "steps__rota",
                "steps__person",
            )
            self._plans[pk] = rows.get(pk=pk)
        return self._plans[pk]

    def words(self, route: Route) -> str:
        """Gives a route in words: "Hall, 1 Critical to 2 High, class safety"."""
        if route.asset is not None and route.asset not in self._names:
            wanted = {one.asset for one in self.routes if one.asset is not None} | {route.asset}
            self._names |= dict(Asset.objects.filter(pk__in=wanted).values_list("pk", "name"))
        place = self._names.get(route.asset, "?") if route.asset is not None else "the whole plant"
        first, last = Priority(route.highest), Priority(route.lowest)
        levels = f"{first.value} {first.label}" + (f" to {last.value} {last.label}" if first != last else "")
        of_class = f", class {route.alarm_class}" if route.alarm_class else ""
        return f"{place}, {levels}{of_class}"

    # --- People and rotas ------------------------------------------------------------------------------------------

    def know(self, user: User) -> Person:
        """Takes up somebody who is loaded with their contact."""
        if user.pk not in self.people:
            self.people[user.pk] = person_of(user)
        return self.people[user.pk]

    def meet(self, ids: Iterable[int]) -> list[Person]:
        """Gives people by their ids, those that are there. Cost: one query where some are new."""
        wanted = list(ids)
        new = [pk for pk in wanted if pk not in self.people]
        if new:
            for user in User.objects.filter(pk__in=new).select_related("contact").order_by():
                self.know(user)
        return [self.people[pk] for pk in wanted if pk in self.people]

    @cached_property
    def everybody(self) -> list[int]:
        """Gives all who may acknowledge alarms. Cost: one query."""
        able = User.objects.with_perm("alerts.acknowledge_alarm", backend="django.contrib.auth.backends.ModelBackend")
        found = able.filter(is_active=True).select_related("contact").order_by("pk")
        return sorted({self.know(user).id for user in found})

    def rota(self, pk: int) -> rotas.Rota | None:
        """Gives a rota from a day before now on, or None where it is gone. Cost: five queries for a new one."""
        if pk not in self._rotas:
            self._rotas |= load_rotas([pk], since=self.now - timedelta(days=1))
        return self._rotas.get(pk)

    def on_call(self, pk: int, at: datetime) -> int | None:
        """Gives who has a rota's duty at a moment."""
        found = self.rota(pk)
        return None if found is None else rotas.on_call(found, at)

    # --- Wishes ----------------------------------------------------------------------------------------------------

    def asked(self, plan: Plan, places: Iterable[int], *, run: int, priority: int, at: datetime) -> Asked:
        """Gives whom some steps of a plan call at a moment, by which channels, and why."""
        found = Asked()
        for place in places:
            number, step = plan.step(place)
            called = self._called(plan, step, at)
            again = f", round {number}" if number > 1 else ""
            reason = f"{plan.name}, step {step.number}{again}: {called.why}"
            mark = f"{run}.{number}.{step.number}"
            wishes = [
                Wish(person.id, way, reason, on_call=called.on_call, step=mark)
                for person in self.meet(called.people)
                for way in person.ways(priority)
            ]
            team = step.name if step.whom == Whom.TEAM else plan.fallback_name
            posts = [Post(channel.pk, channel.name, team, reason, mark) for channel in self._there(called.channels)]
            if not (wishes or posts):
                found.nobody[mark] = reason
            found.wishes += wishes
            found.posts += posts
        return found

    def _called(self, plan: Plan, step: Step, at: datetime) -> _Called:
        """Gives whom a step calls, and in what capacity."""
        if step.whom == Whom.EVERYBODY:
            return _Called(self.everybody, "everybody who may acknowledge")
        if step.whom == Whom.TEAM:
            return _Called(step.people, f"team {step.name}", channels=step.channels)
        if step.whom == Whom.PERSON:
            return _Called(step.people, "you by name")
        assert step.target is not None
        person = self.on_call(step.target, at)
        if person is not None:
            return _Called([person], f"on call for {step.name}", on_call=True)
        self.uncovered.add(step.target)
        why = f"nobody is on call for {step.name}, team {plan.fallback_name} is called instead"
        return _Called(plan.fallback, why, on_call=True, channels=plan.fallback_channels)

    def _there(self, ids: Sequence[int]) -> list[TeamChannel]:
        """Gives team channels by their ids, those that are there. Cost: one query where some are new."""
        new = [pk for pk in ids if pk not in self._channels]
        if new:
            self._channels |= {**dict.fromkeys(new), **TeamChannel.objects.in_bulk(new)}
        return [channel for pk in ids if (channel := self._channels[pk]) is not None]


def in_words(switches: Iterable[str]) -> str:
    """Gives why an alarm is not presented: "shelved and out of service"."""
    return " and ".join(_SWITCHES.get(switch, switch) for switch in switches)


def maintained(window: MaintenanceWindow) -> str:
    """Gives a maintenance window as the reason for which nobody is told."""
    until = window.end.astimezone(zone_of(""))
    return f"maintenance of {window.asset.name} until {until:%d %b %H:%M}: {window.reason}"


def route_of(row: CallRoute) -> Route:
    """Gives a stored route as the core knows it."""
    return Route(
        id=row.pk,
        plan=row.plan_id,
        asset=row.asset_id,
        highest=row.highest_priority,
        lowest=row.lowest_priority,
        alarm_class=row.alarm_class,
        hours=row.hours,
        order=row.order,
    )


def _members(team: Team) -> tuple[int, ...]:
    return tuple(member.user_id for member in team.memberships.all())


def _channels(team: Team, priority: int) -> tuple[int, ...]:
    """Gives a team's channels that are for alarms of a priority."""
    return tuple(channel.pk for channel in team.channels.all() if priority <= channel.lowest_priority)


def _step(row: CallStep, after: float, number: int, priority: int) -> Step:
    """Gives a step with the ids it resolves to."""
    if row.rota is not None:
        return Step(after, Whom.ROTA, row.rota_id, row.rota.name, number=number)
    if row.team is not None:
        channels = _channels(row.team, priority)
        return Step(after, Whom.TEAM, row.team_id, row.team.name, _members(row.team), number, channels)
    if row.person is not None:
        name = row.person.get_full_name() or row.person.get_username()
        return Step(after, Whom.PERSON, None, name, (row.person.pk,), number)
    return Step(after, Whom.EVERYBODY, number=number)


def load_rotas(ids: Collection[int] | None, *, since: datetime) -> dict[int, rotas.Rota]:
    """Gives stored rotas as the core knows them, with the overrides that end after a moment.

    Takes: ids, None for all. Cost: five queries for any number of them.
    """
    rows = Rota.objects.order_by() if ids is None else Rota.objects.filter(pk__in=ids).order_by()
    zones = {pk: zone_of(name) for pk, name in rows.values_list("pk", "time_zone")}
    people: dict[int, list[int]] = {}
    for layer, user in (
        RotaTurn.objects.filter(layer__rota__in=zones).order_by("place", "pk").values_list("layer_id", "user_id")
    ):
        people.setdefault(layer, []).append(user)
    layers: dict[int, list[rotas.Layer]] = {}
    for row in RotaLayer.objects.filter(rota__in=zones).order_by("order", "pk"):
        layers.setdefault(row.rota_id, []).append(
            rotas.Layer(
                name=row.name,
                people=tuple(people.get(row.pk, ())),
                first=row.first,
                handover=row.handover,
                turns=tuple(int(days) for days in row.turns) or (7,),
                hours=row.hours,
                until=row.until,
            )
        )
    overrides: dict[int, list[rotas.Override]] = {}
    for over in RotaOverride.objects.filter(rota__in=zones, end__gt=since).order_by("pk"):
        made = rotas.Override(over.start, over.end, over.user_id, over.reason)
        overrides.setdefault(over.rota_id, []).append(made)
    holidays = list(Holiday.objects.filter(Q(rota__in=zones) | Q(rota=None)).values_list("rota_id", "day"))
    return {
        pk: rotas.Rota(
            zone=zone,
            layers=tuple(layers.get(pk, ())),
            overrides=tuple(overrides.get(pk, ())),
            holidays=frozenset(day for of, day in holidays if of in (None, pk)),
        )
        for pk, zone in zones.items()
    }
