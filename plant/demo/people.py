"""Whom the demo plant calls: three people who do not exist, their team, their rota, and what leads alarms to them.

None of them has a password, and no mail reaches demo.example. Their numbers are of the range that is kept for fiction.
"""

from datetime import datetime, timedelta

from django.contrib.auth.models import Group, User
from django.utils import timezone

from alerts.models import (
    CallPlan,
    CallRoute,
    CallStep,
    Channel,
    Contact,
    Membership,
    Priority,
    Rota,
    RotaLayer,
    RotaTurn,
    Team,
)
from alerts.subscriptions import save_contact, subscribe
from devices.models import Asset
from plant.roles import OPERATOR, ensure_first_person, ensure_roles

SITE = "aldermoor"
# Source of the numbers: Ofcom, telephone numbers for use in TV and radio drama.
CREW = (
    ("mara.lindqvist", "Mara", "Lindqvist", "+447700900101"),
    ("tom.okafor", "Tom", "Okafor", "+447700900102"),
    ("ines.ferreira", "Ines", "Ferreira", "+447700900103"),
)
SHIFT_LEAD = "ines.ferreira"
ADMIN_EMAIL, ADMIN_PHONE = "admin@demo.example", "+447700900100"
SECOND_STEP_AFTER = 300.0  # seconds


def bring(*, now: datetime) -> None:
    """Brings the people and what calls them; what is there already stays as it is.

    Takes: the moment, by which the rota's weeks begin.
    """
    ensure_roles()
    site = Asset.objects.get(code=SITE)
    crew = [_person(*about) for about in CREW]
    team, made = Team.objects.get_or_create(code="shift-crew", defaults={"name": "Shift crew"})
    if made:
        Membership.objects.bulk_create(Membership(team=team, user=user) for user in crew)
    plan = _plan(_rota(crew, now), team)
    CallRoute.objects.get_or_create(
        plan=plan,
        asset=site,
        defaults={"highest_priority": Priority.CRITICAL, "lowest_priority": Priority.HIGH},
    )
    _subscribe(User.objects.get(username=SHIFT_LEAD), Priority.LOW, Channel.EMAIL)
    admin = ensure_first_person()
    # Whoever has an address of their own wants no messages from a plant that does not exist.
    if not admin.email and not Contact.objects.filter(user=admin).exclude(email=ADMIN_EMAIL).exists():
        save_contact(user=admin, email=ADMIN_EMAIL, phone=ADMIN_PHONE, time_zone="")
        _subscribe(admin, Priority.HIGH, Channel.EMAIL, Channel.SMS)


def _person(username: str, first: str, last: str, phone: str) -> User:
    """Gives an operator who cannot sign in; the shift lead's lesser messages come once an hour."""
    user, made = User.objects.get_or_create(username=username, defaults={"first_name": first, "last_name": last})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        user.groups.set(Group.objects.filter(name=OPERATOR))
        contact = save_contact(user=user, email=f"{username}@demo.example", phone=phone, time_zone="")
        if username == SHIFT_LEAD:
            contact.digest_from = Priority.MEDIUM
            contact.save(update_fields=["digest_from"])
    return user


def _rota(crew: list[User], now: datetime) -> Rota:
    """Gives the rota: a week each, handed over on Monday morning."""
    rota, made = Rota.objects.get_or_create(code="on-call", defaults={"name": "Works on call"})
    if made:
        today = timezone.localdate(now)
        # The Monday before this week's: on a Monday before the handover somebody has the duty, too.
        first = today - timedelta(days=today.weekday() + 7)
        layer = RotaLayer.objects.create(rota=rota, name="Weeks", first=first, turns=[7])
        RotaTurn.objects.bulk_create(RotaTurn(layer=layer, place=place, user=user) for place, user in enumerate(crew))
    return rota


def _plan(rota: Rota, team: Team) -> CallPlan:
    """Gives the plan: who is on call, and after five minutes the whole crew."""
    plan, made = CallPlan.objects.get_or_create(code="call-out", defaults={"name": "Call-out", "fallback": team})
    if made:
        CallStep.objects.create(plan=plan, place=1, whom=CallStep.Whom.ROTA, rota=rota)
        CallStep.objects.create(plan=plan, place=2, wait=SECOND_STEP_AFTER, whom=CallStep.Whom.TEAM, team=team)
    return plan


def _subscribe(user: User, lowest: Priority, *channels: Channel) -> None:
    """Has a person told of the works' alarms, unless they have subscribed to them already."""
    if user.subscriptions.filter(asset__code=SITE).exists():
        return
    for channel in channels:
        subscribe(user=user, asset=SITE, lowest_priority=lowest, channel=channel, hours=None, also_clear=False)
