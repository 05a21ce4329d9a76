"""Proposals for one rule, by backtest over its own stored history with the very engine that judges."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from alerts.engine.parts import drained
from alerts.instants import from_us, to_us
from alerts.models import Alarm, Rule, RuleInput
from alerts.rules import build_spec
from alerts.wiring import values_of
from alerts.workbench import grid
from alerts.workbench.price import Price, price, stands, true_alarms
from alerts.workbench.turn import Busy, turn

if TYPE_CHECKING:
    from alerts.backtest import Found, Part

LONGEST = timedelta(days=31)
_WORTH_A_TENTH = 0.1  # of the alarms: what saves less is not proposed
# The weakest setting is proposed that leaves at most twice as many alarms as the strongest, or a fiftieth of all.
_TIMES_THE_STRONGEST = 2
_OR_OF_ALL = 0.02


@dataclass(frozen=True, slots=True)
class Proposal:
    """New settings with what they would have saved and cost."""

    change: Mapping[str, float]
    price: Price
    saved: int
    stood: float  # how much longer alarms would have stood in all, in seconds


@dataclass(frozen=True, slots=True)
class Findings:
    """What a rule's history says of it and of other settings."""

    alarms: int  # that the rule as it is would have raised
    true: int  # of which were true
    readings_until: datetime | None
    proposals: Sequence[Proposal]


@dataclass(frozen=True, slots=True)
class Workbench(Findings):
    """The same of a stored rule, with the range that was looked at."""

    rule: Rule
    start: datetime
    end: datetime


def propose(*, rule: Rule, start: datetime, end: datetime) -> Workbench:
    """Tries settings on the history of [start, end], of which at most the last 31 days.

    Gives: of each kind of change the weakest that does nearly as well as the strongest, without losing a true alarm;
    those first that leave the fewest alarms, then those that let them come soonest and stand shortest.
    Raises: Busy.
    Cost: a scan of the rule's sensors with about sixty rules at once, a third of that for a rule over several sensors.
    """
    start = max(start, end - LONGEST)
    reads = RuleInput.objects.filter(rule=rule).order_by("place")
    inputs = list(reads.values_list("name", "sensor_id", "sensor__interval"))
    scale = reads.values_list("sensor__range_low", "sensor__range_high").first() or (None, None)
    answered = acknowledged([rule.pk], start, end).get(rule.pk, [])
    if not turn.acquire(blocking=False):
        raise Busy(_("Another backtest is under way; try again when it is done."))
    try:
        found = drained(proposing(values_of(rule), inputs, scale, answered, start, end))
    finally:
        turn.release()
    return Workbench(found.alarms, found.true, found.readings_until, found.proposals, rule, start, end)


def proposing(
    values: Mapping[str, Any],
    inputs: Sequence[tuple[str, int, float | None]],
    scale: tuple[float | None, float | None],
    answered: Iterable[int],
    start: datetime,
    end: datetime,
) -> Generator[Part, None, Findings]:
    """Does what `propose` does for a rule that need not be stored, part by part.

    Takes: its fields; its inputs as build_spec takes them; the range of the alarm's sensor; when somebody acknowledged
    one of its alarms that stood, in µs. Whoever drives it has the turn.
    """
    # The compiled engine is loaded by a process that is asked for proposals, not by all of them (100 MB).
    from alerts.backtest import in_parts

    families = grid.single(values, *scale)
    several = grid.together(values, *scale)
    if len(inputs) > 1:  # each is replayed by itself
        families = {field: changes[::2] for field, changes in families.items()}
        several = several[::4]
    changes: list[grid.Change] = [{}, *(change for family in families.values() for change in family), *several]
    specs = [build_spec(number, 1, {**values, **change}, inputs) for number, change in enumerate(changes, 1)]
    found = yield from in_parts(specs, to_us(start), to_us(end), as_judged=False)
    by_change: dict[int, list[Found]] = {spec.id: [] for spec in specs}
    for one in found:
        by_change[one.rule].append(one)
    last = to_us(end)
    alarms = [stands(by_change[spec.id], last) for spec in specs]
    true = true_alarms(alarms[0], answered)
    base = price(true, alarms[0])
    prices = [price(true, stood) for stood in alarms]
    tried = [
        Proposal(change, cost, base.alarms - cost.alarms, (cost.standing - base.standing) / 1_000_000)
        for change, cost in zip(changes, prices, strict=True)
    ]
    return Findings(base.alarms, len(true), from_us(found[-1].time) if found else None, _chosen(tried, base))


def acknowledged(rules: Iterable[int], start: datetime, end: datetime) -> dict[int, list[int]]:
    """Gives when somebody acknowledged an alarm of some rules while it stood, in µs, by rule. Cost: one query."""
    found: dict[int, list[int]] = {}
    rows = Alarm.objects.filter(rule__in=list(rules), acked__gte=start, acked__lte=end, acked_by__isnull=False)
    for rule, acked, cleared in rows.order_by().values_list("rule_id", "acked", "cleared"):
        if rule is not None and acked is not None and (cleared is None or acked <= cleared):
            found.setdefault(rule, []).append(to_us(acked))
    return found


def _chosen(tried: Sequence[Proposal], base: Price) -> list[Proposal]:
    """Picks of each kind of change the weakest that does nearly as well as the strongest."""
    worth = [
        proposal
        for proposal in tried
        if not proposal.price.missed and proposal.saved > 0 and proposal.saved >= _WORTH_A_TENTH * base.alarms
    ]
    kinds: dict[tuple[str, ...], list[Proposal]] = {}
    for proposal in worth:
        names = tuple(proposal.change)
        kinds.setdefault(names if len(names) == 1 else ("several",), []).append(proposal)
    picked = [_weakest(family, base) for family in kinds.values()]
    alone = min((one.price.alarms for one in picked if len(one.change) == 1), default=base.alarms)
    # Turning two screws must be worth it.
    picked = [one for one in picked if len(one.change) == 1 or 2 * one.price.alarms <= alone]
    return sorted(picked, key=lambda one: (one.price.alarms, one.price.delay / 1_000_000 + max(0.0, one.stood)))


def _weakest(family: Sequence[Proposal], base: Price) -> Proposal:
    strongest = min(proposal.price.alarms for proposal in family)
    enough = max(_TIMES_THE_STRONGEST * strongest, _OR_OF_ALL * base.alarms)
    return min(
        (proposal for proposal in family if proposal.price.alarms <= enough),
        key=lambda one: (one.price.delay, one.stood, len(one.change)),
    )
