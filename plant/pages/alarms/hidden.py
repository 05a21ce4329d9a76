"""The lists of what is not presented: shelved, suppressed by design, out of service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from alerts import queries
from alerts.models import Alarm, Priority, Suppression
from alerts.sayings import said
from plant.pages.alarms.filters import Filters
from plant.pages.tree import Tree, tree

_ORDER = {"shelved": "shelved_until", "suppressed": "designed_at", "out_of_service": "review"}
# Where a word of the filter is looked for besides the rule and its machine.
_WORDS = {
    "shelved": ("shelve_reason", "shelved_by__first_name", "shelved_by__last_name", "shelved_by__username"),
    "suppressed": (),
    "out_of_service": ("out_reason", "work_order", "out_by__first_name", "out_by__last_name", "out_by__username"),
}


@dataclass(frozen=True, slots=True)
class Hidden:
    """A rule whose alarms are not presented, as its list shows it."""

    rule: int
    key: str  # as the socket tells of it
    alarm: int | None  # the open one
    priority: int
    alarm_class: str
    asset: str
    message: str
    url: str
    place: str
    since: datetime | None
    until: datetime | None
    one_shot: bool
    why: str
    by: str
    work_order: str
    review: date | None
    overdue: bool


def found(filters: Filters, plant: Tree) -> QuerySet[Suppression]:
    """Gives what is not presented for one reason and left by the filters; no rule has a state, an age, a position.

    What would stand comes first, then what is presented again soonest. Cost: none, and one query where words are
    looked for in what hides by design.
    """
    switch = filters.show
    standing = Alarm.objects.filter(rule=OuterRef("rule"), closed=None)
    rows = queries.not_presented(switch).annotate(stands=Exists(standing)).order_by("-stands", _ORDER[switch], "pk")
    if len(filters.priorities) < len(Priority.values):
        rows = rows.filter(rule__priority__in=filters.priorities)
    if filters.area:
        node = plant.by_code.get(filters.area)
        rows = rows.filter(rule__asset__in=[below.pk for below in node.walk()] if node else [])
    if filters.alarm_class:
        rows = rows.filter(rule__alarm_class=filters.alarm_class)
    words = filters.words.split()
    designed = _designed() if words and switch == "suppressed" else {}
    for word in words:
        wanted = Q(rule__name__icontains=word) | Q(rule__asset__code__icontains=word)
        for field in _WORDS[switch]:
            wanted |= Q(**{f"{field}__icontains": word})
        if hits := [pk for pk, why in designed.items() if word.lower() in why]:
            wanted |= Q(pk__in=hits)
        rows = rows.filter(wanted)
    return rows


def _designed() -> dict[int, str]:
    """Gives what hides each rule's alarms by design in the reader's language, which only the page knows."""
    kept = queries.not_presented("suppressed").order_by().values_list("pk", "designed")
    return {pk: ", ".join(map(said, designed)).lower() for pk, designed in kept}


def rows(found: Sequence[Suppression], switch: str, now: datetime) -> list[Hidden]:
    """Gives them as their list shows them. Cost: one query."""
    numbers = dict(
        Alarm.objects.filter(rule__in=[row.rule_id for row in found], closed=None).order_by().values_list("rule", "pk")
    )
    plant = tree()
    made = []
    for row in found:
        node = plant.nodes.get(row.rule.asset_id)
        who = {"shelved": row.shelved_by, "out_of_service": row.out_by}.get(switch)
        made.append(
            Hidden(
                rule=row.rule_id,
                key=f"{row.rule.asset.code}/{row.rule.name}",
                alarm=numbers.get(row.rule_id),
                priority=row.rule.priority,
                alarm_class=row.rule.alarm_class,
                asset=row.rule.asset.code,
                message=row.rule.name,
                url=node.url if node else "",
                place=node.place if node else "",
                since={"shelved": row.shelved_at, "suppressed": row.designed_at}.get(switch, row.out_at),
                until=row.shelved_until,
                one_shot=row.one_shot,
                why=_why(row, switch),
                by="" if who is None else who.get_full_name() or who.get_username(),
                work_order=row.work_order,
                review=row.review,
                overdue=row.review is not None and row.review < timezone.localdate(now),
            )
        )
    return made


def _why(row: Suppression, switch: str) -> str:
    if switch == "suppressed":
        return ", ".join(map(said, row.designed))
    return row.shelve_reason if switch == "shelved" else row.out_reason


def counts() -> dict[str, int]:
    """Gives how many rules' alarms are not presented, by reason. Cost: one query."""
    return Suppression.objects.aggregate(
        shelved=Count("shelved_at"), suppressed=Count("designed_at"), out_of_service=Count("out_at")
    )
