"""Reads of alarms: what stands, how much of it, and how an alarm is written in JSON."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import BooleanField, Case, Count, F, Q, QuerySet, Value, When

from alerts.lifecycle import Event, Switch
from alerts.models import Alarm, JournalEntry, Kind, Priority, RuleInput, State, Suppression
from alerts.written import decimals_of, limit_of, value_of
from devices import topology

# Somebody still has to acknowledge these.
UNACKED_STATES = (State.UNACKED, State.RETURNED, State.LATCHED_UNACKED)

SHELVED = Switch.SHELVED.value

# Written for machines: not translated, so that an answer does not change with its reader. Source: ISA-18.2 / IEC 62682.
_STATE_NAMES = {
    State.NORMAL.value: "normal",
    State.UNACKED.value: "unacknowledged",
    State.ACKED.value: "acknowledged",
    State.RETURNED.value: "returned, unacknowledged",
    State.LATCHED_UNACKED.value: "latched, unacknowledged",
    State.LATCHED_ACKED.value: "latched, acknowledged",
}

_COUNTED = 24  # slots, at most, that the database counts


def iso(moment: datetime | None) -> str | None:
    """Gives ISO 8601 in UTC with microseconds and Z, or None."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def as_json(alarm: Alarm) -> dict[str, Any]:
    """Gives an alarm as the API, the socket and the pages write it.

    `decimals`, `value_label` and `limit_label` say how its sensor writes figures; null where there is no sensor.
    `limit_decimals` and `limit_unit` (null: the sensor's) say how the limit is written, which may be a time or a rate.
    Cost: no query when `acked_by` is loaded, as in `open_alarms`.
    """
    place = None if alarm.sensor_id is None else topology.known().places.get(alarm.sensor_id)
    value, limit = value_of(alarm, place), limit_of(alarm, place)
    return {
        "id": alarm.pk,
        "rule": alarm.rule_name,
        "sensor": alarm.tag,
        "asset": alarm.asset_code,
        "priority": alarm.priority,
        "state": str(alarm.state),
        "state_name": _STATE_NAMES[str(alarm.state)],
        "suppressed": list(alarm.suppressed),
        "shelved_until": iso(_shelved_until(alarm)),
        "raised": iso(alarm.raised),
        "cleared": iso(alarm.cleared),
        "closed": iso(alarm.closed),
        "acked": iso(alarm.acked),
        "acked_by": alarm.acked_by.get_username() if alarm.acked_by is not None else None,
        "value": alarm.value,
        "limit": alarm.limit,
        "per": per_of(alarm),
        "unit": alarm.unit,
        "decimals": None if place is None else decimals_of(place),
        "value_label": None if value is None else value.word,
        "limit_label": None if limit is None else limit.word,
        "limit_decimals": None if limit is None else limit.decimals,
        "limit_unit": None if limit is None else limit.unit,
        "message": alarm.message,
        "class": alarm.alarm_class,
        "position": alarm.position,
        "group": alarm.group,
        "first_out": alarm.first_out,
        "silenced": iso(alarm.silenced),
        "silent": _silent(alarm),
    }


def per_of(alarm: Alarm) -> float | None:
    """Gives the seconds that the limit of a rate is per; None where the limit is one of the sensor's own scale."""
    frozen = alarm.frozen
    return float(frozen.get("per") or 60.0) if frozen.get("kind") in (Kind.RATE_HIGH, Kind.RATE_LOW) else None


def _shelved_until(alarm: Alarm) -> datetime | None:
    """Gives the end of an alarm's shelving. Cost: none for an alarm of `alarms` or after `with_shelving`."""
    if SHELVED not in alarm.suppressed:
        return None
    if "shelved_until" not in alarm.__dict__:
        with_shelving([alarm])
    until: datetime | None = alarm.__dict__["shelved_until"]
    return until


def with_shelving(alarms: Iterable[Alarm]) -> None:
    """Lets alarms know the end of their shelving. Cost: none where nothing is shelved; else one query."""
    shelved = [alarm for alarm in alarms if SHELVED in alarm.suppressed]
    if shelved:
        rows = Suppression.objects.filter(rule__in={alarm.rule_id for alarm in shelved}).order_by()
        ends = dict(rows.values_list("rule", "shelved_until"))
        for alarm in shelved:
            alarm.__dict__["shelved_until"] = ends.get(alarm.rule_id or 0)


def in_full(alarm: Alarm) -> dict[str, Any]:
    """Gives a single alarm with what its rule says to the operator, and why it is not presented.

    Cost: none for one that is presented; else five queries.
    """
    frozen = alarm.frozen
    rows = Suppression.objects.filter(rule=alarm.rule_id) if alarm.suppressed and alarm.closed is None else ()
    said = suppressions_as_json(rows) if rows else []
    return {
        **as_json(alarm),
        **{key: frozen.get(key) or None for key in ("cause", "consequence", "action", "confirmation", "severity")},
        "time_to_respond": frozen.get("time_to_respond"),
        "realarm_due": iso(alarm.realarm_due),
        "annunciations": alarm.annunciations,
        "suppression": said[0][2] if said else None,
    }


def story(assets: Iterable[int], codes: Iterable[str], most: int, *, before: int | None = None) -> list[JournalEntry]:
    """Gives the newest rows of the journal about some assets: their alarms' and what people wrote about them.

    Takes: the assets' ids and codes; `before` leaves out a row of this number and what came after it. Cost: two
    queries.
    """
    rows = JournalEntry.objects.order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    of_alarms = rows.filter(alarm__asset__in=list(assets))[:most]
    written = rows.filter(alarm=None, rule_id=None, tag__in=list(codes))[:most]
    return sorted([*of_alarms, *written], key=lambda entry: -entry.pk)[:most]


# --- What is not presented -----------------------------------------------------------------------------------------

# How an alarm or a rule is found that is not presented, by the switch that is on.
_ON = {
    Switch.SHELVED.value: "shelved_at__isnull",
    "suppressed": "designed_at__isnull",
    Switch.OUT_OF_SERVICE.value: "out_at__isnull",
}
WHY_NOT_PRESENTED = tuple(_ON)


def not_presented(switch: str) -> QuerySet[Suppression]:
    """Gives the rules whose alarms are not presented for one reason: shelved, suppressed or out_of_service."""
    return Suppression.objects.filter(**{_ON[switch]: False})


def suppressions_as_json(rows: Iterable[Suppression]) -> list[tuple[int, int, dict[str, Any]]]:
    """Gives (rule id, asset id, JSON) of the rules' suppressions, with their open alarm if there is one.

    Takes: a query, or rows. Cost: the query's, and two more.
    """
    if isinstance(rows, QuerySet):
        rows = rows.select_related("rule__asset", "shelved_by", "out_by")
    rows = list(rows)
    ids = [row.rule_id for row in rows]
    inputs = RuleInput.objects.filter(rule__in=ids, place=0).order_by()
    tags = {
        rule: f"{asset}/{key}" for rule, asset, key in inputs.values_list("rule", "sensor__asset__code", "sensor__key")
    }
    open_now = dict(Alarm.objects.filter(rule__in=ids, closed=None).order_by().values_list("rule", "pk"))
    return [
        (row.rule_id, row.rule.asset_id, _suppression_json(row, tags.get(row.rule_id, ""), open_now.get(row.rule_id)))
        for row in rows
    ]


def _suppression_json(row: Suppression, tag: str, alarm: int | None) -> dict[str, Any]:
    rule = row.rule
    return {
        "rule": rule.name,
        "asset": rule.asset.code,
        "sensor": tag,
        "priority": rule.priority,
        "class": rule.alarm_class,
        "alarm": alarm,
        "suppressed": list(row.switches),
        "shelved_until": iso(row.shelved_until),
        "one_shot": row.one_shot,
        "shelved_at": iso(row.shelved_at),
        "shelved_by": row.shelved_by.get_username() if row.shelved_by is not None else None,
        "shelve_reason": row.shelve_reason,
        "designed": list(row.designed),
        "designed_at": iso(row.designed_at),
        "out_at": iso(row.out_at),
        "out_by": row.out_by.get_username() if row.out_by is not None else None,
        "out_reason": row.out_reason,
        "work_order": row.work_order,
        "review": row.review.isoformat() if row.review is not None else None,
    }


def _silent(alarm: Alarm) -> dict[str, Any] | None:
    """Gives what is not heard while an alarm stands that tells of silence: since when, which assets and sensors."""
    if not alarm.active or "silent" not in alarm.frozen:
        return None
    return {"since": alarm.frozen["silent_since"], "parts": alarm.frozen["silent"]}


def alarms() -> QuerySet[Alarm]:
    """Gives every occurrence with what `as_json` and the pages read of its neighbours."""
    found = Alarm.objects.select_related("acked_by", "asset", "sensor")
    return found.annotate(shelved_until=F("rule__suppression__shelved_until"))


def open_alarms(assets: Iterable[int] | None = None) -> QuerySet[Alarm]:
    """Gives what stands now: unacknowledged first, then by priority, the newest first.

    Takes: ids of assets to keep to, without those below them; None for the whole plant.
    """
    found = alarms().filter(closed=None)
    if assets is not None:
        found = found.filter(asset_id__in=list(assets))
    return found.annotate(
        unacked=Case(
            When(state__in=UNACKED_STATES, then=Value(True)), default=Value(False), output_field=BooleanField()
        )
    ).order_by("-unacked", "priority", "-raised", "-pk")


def worst(most: int, assets: Iterable[int] | None = None) -> list[Alarm]:
    """Gives what needs attention first: by priority, unacknowledged before acknowledged, then the oldest.

    Takes: ids of assets to keep to, as `open_alarms`. Cost: one query.
    """
    found = open_alarms(assets).filter(suppressed=[])
    return list(found.order_by("priority", "-unacked", "raised", "pk")[:most])  # type: ignore[misc]  # an annotation


def most_important() -> Alarm | None:
    """Gives the unacknowledged alarm to answer first: the highest priority, then the oldest. Cost: one query."""
    waiting = alarms().filter(closed=None, state__in=UNACKED_STATES, suppressed=[])
    return waiting.order_by("priority", "raised", "pk").first()


def sounding() -> QuerySet[Alarm]:
    """Gives the alarms for which the horn is on: presented, unacknowledged, active or latched, and not silenced."""
    states = (State.UNACKED, State.LATCHED_UNACKED)
    return Alarm.objects.filter(closed=None, state__in=states, suppressed=[], silenced=None).order_by("pk")


def announced_after(heard: Mapping[int, int]) -> set[int]:
    """Gives the alarms that were announced after a journal number, each after its own. Cost: one query, or none."""
    if not heard:
        return set()
    rows = JournalEntry.objects.filter(
        alarm__in=heard, id__gt=min(heard.values()), to_state__in=(State.UNACKED, State.LATCHED_UNACKED)
    ).exclude(event__in=(Event.COMMENT, Event.SILENCE))
    return {alarm for alarm, number in rows.values_list("alarm_id", "id") if number > heard[alarm]}


@dataclass(slots=True)
class Tally:
    """Open alarms of one asset or subtree, by priority; suppressed ones are counted apart."""

    active: dict[int, int] = field(default_factory=lambda: dict.fromkeys(Priority.values, 0))
    unacked: dict[int, int] = field(default_factory=lambda: dict.fromkeys(Priority.values, 0))
    # Of `active`: those whose condition still holds. None of a priority: its symbol is hollow.
    standing: dict[int, int] = field(default_factory=lambda: dict.fromkeys(Priority.values, 0))
    suppressed: int = 0

    @property
    def total(self) -> int:
        """Gives the number of open alarms that are presented."""
        return sum(self.active.values())

    @property
    def total_unacked(self) -> int:
        """Gives how many of them wait for an acknowledgement."""
        return sum(self.unacked.values())

    @property
    def worst(self) -> int | None:
        """Gives the highest priority among them (1 is the highest)."""
        return next((priority for priority, count in self.active.items() if count), None)

    def look(self, priority: int) -> str:
        """Gives how a priority's symbol stands: unack, returned, ack, or zero when there is none."""
        if not self.active[priority]:
            return "zero"
        if not self.unacked[priority]:
            return "ack"
        return "unack" if self.standing[priority] else "returned"

    def _count(self, priority: int, state: str, suppressed: Sequence[str]) -> None:
        if suppressed:
            self.suppressed += 1
            return
        self.active[priority] += 1
        if state in UNACKED_STATES:
            self.unacked[priority] += 1
        if state != State.RETURNED:
            self.standing[priority] += 1


def tallies(parents: Mapping[int, int | None]) -> dict[int | None, Tally]:
    """Counts open alarms for every asset that has one in its subtree; key None is the whole plant.

    Takes: each asset's parent, as the pages have loaded the tree.
    Cost: one query.
    """
    found: dict[int | None, Tally] = defaultdict(Tally)
    rows = Alarm.objects.filter(closed=None).order_by().values_list("asset_id", "priority", "state", "suppressed")
    for asset_id, priority, state, suppressed in rows:
        found[None]._count(priority, state, suppressed)
        at: int | None = asset_id
        while at is not None:
            found[at]._count(priority, state, suppressed)
            at = parents.get(at)
    return found


def raised_per_slot(now: datetime, *, slots: int = 24, slot: timedelta = timedelta(minutes=10)) -> list[int]:
    """Counts the alarms raised in each slot up to now, the newest slot last.

    A slot has its end, not its begin. Cost: one query over the index by time. A few long slots are counted by the
    database; to build a count for each of 60 takes 17 ms, more than to sort 2,000 times into them.
    """
    edges = [now - slot * (slots - index) for index in range(slots + 1)]
    raised = Alarm.objects.filter(raised__gt=edges[0], raised__lte=now).order_by()
    if slots <= _COUNTED:
        within = [Q(raised__gt=begin, raised__lte=end) for begin, end in pairwise(edges)]
        counted = raised.aggregate(**{f"slot_{index}": Count("pk", filter=part) for index, part in enumerate(within)})
        return [counted[f"slot_{index}"] for index in range(slots)]
    counts = [0] * slots
    for at in raised.values_list("raised", flat=True):
        counts[-(-(at - edges[0]) // slot) - 1] += 1
    return counts


def tally_of(alarms: Iterable[Alarm]) -> Tally:
    """Counts alarms that are loaded already. Cost: none."""
    counted = Tally()
    for alarm in alarms:
        counted._count(alarm.priority, alarm.state, alarm.suppressed)
    return counted


def together(parts: Iterable[Tally]) -> Tally:
    """Gives the sum of several tallies of assets that do not contain each other."""
    whole = Tally()
    for tally in parts:
        for priority in Priority.values:
            whole.active[priority] += tally.active[priority]
            whole.unacked[priority] += tally.unacked[priority]
            whole.standing[priority] += tally.standing[priority]
        whole.suppressed += tally.suppressed
    return whole
