"""The lists of what is not presented: shelved, suppressed by design, out of service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from alerts import queries
from alerts.models import Alarm, Suppression
from alerts.sayings import said
from plant.pages.alarms.filters import Filters
from plant.pages.tree import Tree, tree

MOST = 500  # rows of one list
_ORDER = {"shelved": "shelved_until", "suppressed": "designed_at", "out_of_service": "review"}


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


def rows(switch: str, now: datetime) -> list[Hidden]:
    """Gives what is not presented for one reason. Cost: three queries.

    What would stand comes first, then what is presented again soonest.
    """
    standing = Alarm.objects.filter(rule=OuterRef("rule"), closed=None)
    asked = queries.not_presented(switch).select_related("rule__asset", "shelved_by", "out_by")
    found = list(asked.annotate(stands=Exists(standing)).order_by("-stands", _ORDER[switch], "pk")[:MOST])
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


def narrowed(found: Iterable[Hidden], filters: Filters, plant: Tree) -> list[Hidden]:
    """Gives the rows that the filters leave; a rule has no state, no age and no position of its own."""
    rows = [row for row in found if row.priority in filters.priorities]
    if filters.area:
        node = plant.by_code.get(filters.area)
        below = {inner.code for inner in node.walk()} if node else set()
        rows = [row for row in rows if row.asset in below]
    if filters.alarm_class:
        rows = [row for row in rows if row.alarm_class == filters.alarm_class]
    for word in filters.words.lower().split():
        rows = [row for row in rows if word in f"{row.message} {row.asset} {row.why} {row.by}".lower()]
    return rows


def counts() -> dict[str, int]:
    """Gives how many rules' alarms are not presented, by reason. Cost: one query."""
    return Suppression.objects.aggregate(
        shelved=Count("shelved_at"), suppressed=Count("designed_at"), out_of_service=Count("out_at")
    )
