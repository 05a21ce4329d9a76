"""Teams, rotas, plans and routes, plain; and whole plants of them, drawn from a seed."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from django.contrib.auth.models import Permission, User

from alerts.flood.counter import interval_of
from alerts.models import (
    CallPlan,
    CallRoute,
    CallStep,
    Contact,
    FloodLoad,
    Holiday,
    MaintenanceWindow,
    Rota,
    RotaLayer,
    RotaOverride,
    RotaTurn,
    Subscription,
    Team,
    TeamChannel,
)
from devices.models import Asset

NOW = datetime(2026, 3, 2, 6, 0, 30, tzinfo=UTC)  # a Monday
NIGHT = [[[0, 360], [1320, 1440]]] * 7


def team(name: str, *people: User) -> Team:
    """Makes a team."""
    made = Team.objects.create(code=name.lower().replace(" ", "-"), name=name)
    made.members.set(people)
    return made


def channel(name: str, of: Team | None, host: str = "127.0.0.1:9", **fields: Any) -> TeamChannel:
    """Makes a team's channel that posts to a path of its name at a host."""
    return TeamChannel.objects.create(name=name, team=of, url=f"json://{host}/team/{name}", **fields)


def rota(name: str, *people: User, zone: str = "UTC", **fields: Any) -> Rota:
    """Makes a rota of one layer: weekly turns from Monday, 2 March 2026 at 06:00, unless `fields` says otherwise."""
    made = Rota.objects.create(code=name.lower().replace(" ", "-"), name=name, time_zone=zone)
    layer(made, *people, **fields)
    return made


def layer(of: Rota, *people: User, **fields: Any) -> RotaLayer:
    """Adds a layer."""
    values = {"name": f"layer {of.layers.count() + 1}", "first": date(2026, 3, 2), "handover": time(6), **fields}
    made = RotaLayer.objects.create(rota=of, order=of.layers.count() + 1, **values)
    RotaTurn.objects.bulk_create(RotaTurn(layer=made, place=place, user=user) for place, user in enumerate(people))
    return made


def plan(name: str, *steps: tuple[Any, ...], **fields: Any) -> CallPlan:
    """Makes a plan of (seconds to wait; person, rota, team or None for everybody; a dict of further fields)."""
    made = CallPlan.objects.create(code=name.lower().replace(" ", "-"), name=name, **fields)
    for place, (wait, target, *more) in enumerate(steps, 1):
        kinds = {User: "person", Rota: "rota", Team: "team"}
        whom = kinds.get(type(target), "everybody")
        named = {whom: target} if target is not None else {}
        CallStep.objects.create(plan=made, place=place, wait=wait, whom=whom, **named, **(more[0] if more else {}))
    return made


def route(to: CallPlan, asset: Asset | None = None, **fields: Any) -> CallRoute:
    """Makes a route for all priorities."""
    return CallRoute.objects.create(plan=to, asset=asset, **{"highest_priority": 1, "lowest_priority": 4, **fields})


def may_acknowledge(*people: User) -> None:
    """Gives people the right to acknowledge."""
    right = Permission.objects.get(content_type__app_label="alerts", codename="acknowledge_alarm")
    for user in people:
        user.user_permissions.add(right)


def hours(random: Random) -> list[list[list[int]]] | None:
    """Draws weekly hours, or none."""
    if random.random() < 0.5:
        return None
    if random.random() < 0.4:
        return NIGHT
    start, end = sorted(random.sample(range(0, 1441, 30), 2))
    return [[[start, end]] if random.random() < 0.8 else [] for _ in range(7)]


def draw(random: Random, machine: Asset, other: Asset, at: datetime, *, host: str) -> None:
    """Draws people with their wishes, teams, rotas, plans, routes, subscriptions and maintenance around a moment.

    Most of it is for one machine, some for another. Takes: where channels of teams post to.
    """
    above = [machine, machine.parent, machine.parent.parent]
    places = [None, *above, other]
    people = []
    for number in range(random.randint(2, 5)):
        name = f"p{number}"
        user = User.objects.create_user(name, f"{name}@works.example" if random.random() < 0.85 else "")
        user.is_active = random.random() < 0.9
        user.save()
        people.append(user)
        if random.random() < 0.85:
            Contact.objects.create(
                user=user,
                phone=f"+49151123456{number:02d}" if random.random() < 0.7 else "",
                time_zone=random.choice(["UTC", "Europe/Berlin", "America/New_York"]),
                quiet_hours=hours(random),
                quiet_lets=random.choice([0, 1, 1, 2]),
                channels=random.choice([{}, {"1": ["sms"], "2": ["email"]}, {"1": ["email"], "3": ["sms", "email"]}]),
                digest_from=random.choice([0, 0, 3, 4]),
                hourly_limit=random.choice([1, 2, 3, 20]),
            )
    may_acknowledge(*random.sample(people, random.randint(0, len(people))))
    teams = [team(f"Team {n}", *random.sample(people, random.randint(0, len(people)))) for n in range(2)]
    rotas = []
    for number in range(2):
        zone = random.choice(["UTC", "Europe/Berlin", "Australia/Lord_Howe"])
        made = Rota.objects.create(code=f"rota-{number}", name=f"Rota {number}", time_zone=zone)
        for _ in range(random.choice([0, 1, 1, 2])):
            layer(
                made,
                *random.choices(people, k=random.randint(1, 3)),
                first=at.date() - timedelta(days=random.randint(0, 20)),
                handover=time(random.randint(0, 23), random.choice([0, 30])),
                turns=random.choice([[7], [1], [2, 2, 3], []]),
                hours=hours(random),
            )
        for _ in range(random.randint(0, 2)):
            start = at + timedelta(minutes=random.randint(-300, 300))
            end = start + timedelta(minutes=random.randint(10, 600))
            RotaOverride.objects.create(rota=made, user=random.choice(people), start=start, end=end)
        rotas.append(made)
    if random.random() < 0.3:
        Holiday.objects.create(day=at.date(), name="Founders' day")
    for number in range(random.choice([0, 1, 2, 2])):
        steps = [
            (
                random.choice([0, 0, 30, 60, 300, 900]),
                random.choice([random.choice(people), *rotas, *teams, None]),
                {"lowest_priority": random.choice([4, 4, 2])},
            )
            for _ in range(random.randint(1, 5))
        ]
        made_plan = plan(
            f"Plan {number}",
            *steps,
            repeat=random.choice([0, 0, 1, 2]),
            repeat_after=random.choice([60.0, 900.0, 3600.0]),
            stops_on_return=random.random() < 0.5,
            fallback=random.choice([None, *teams]),
        )
        for _ in range(random.randint(1, 2)):
            highest = random.choice([1, 1, 2])
            route(
                made_plan,
                random.choice(places),
                highest_priority=highest,
                lowest_priority=random.choice([highest, 4, 4]),
                alarm_class=random.choice(["", "", "", "safety"]),
                hours=hours(random) if random.random() < 0.4 else None,
                order=random.randint(1, 3),
            )
    for _ in range(random.randint(0, 4)):
        Subscription.objects.create(
            user=random.choice(people),
            asset=random.choice(places),
            lowest_priority=random.randint(1, 4),
            channel=random.choice(["email", "sms"]),
            hours=hours(random),
            enabled=random.random() < 0.9,
        )
    if random.random() < 0.25:
        start = at + timedelta(minutes=random.randint(-60, 60))
        MaintenanceWindow.objects.create(
            asset=random.choice([*above, other]),
            start=start,
            end=start + timedelta(minutes=random.randint(5, 120)),
            reason="new bearing",
        )
    for number in range(random.randint(0, 3)):
        channel(f"room-{number}", random.choice([None, *teams, *teams]), host, lowest_priority=random.choice([4, 4, 2]))
    if random.random() < 0.2:
        interval = interval_of(at.timestamp())
        FloodLoad.objects.create(position="", interval=interval, count=20, since=interval)
