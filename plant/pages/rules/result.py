"""What a backtest says, as the editor shows it: counts, alarms, machines, whom it would have called, other settings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts.calling.foresight import Facts
from alerts.changes import label_of, text_of
from alerts.figures import words
from alerts.instants import from_us
from alerts.models import Channel
from alerts.positions import Seats
from alerts.workbench.called import Called, Listener, called
from alerts.workbench.price import Stand
from alerts.workbench.proposals import Findings, Proposal
from alerts.workbench.trial import PERIODS, Count, Kind, Outcome, Raised, Trial, count
from devices.models import Sensor
from plant import writing
from plant.pages.drafts import setting
from plant.pages.tree import Node, Tree
from plant.pages.trend import trend_of

ALARMS = 12  # the newest, of which each is told whom it would have called
CALLS = 5_000  # the newest, over which it is counted who would have been called
MACHINES = 100  # in the table, those with the most alarms
MARKS = 500  # in the chart
LANES = 3
_ROOM = 20_000_000  # µs shown before and after a burst
SECOND = 1_000_000
_WHOLE_WITHIN = timedelta(hours=1)  # a history that begins no later than that after a period is of the whole of it


@dataclass(frozen=True, slots=True)
class Figures:
    """What one period comes to, in words."""

    days: int
    alarms: int
    of_alarms: str  # alarms in 30 days
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Machine:
    """One asset of a type's rule."""

    code: str
    node: Node | None
    counts: Sequence[int]  # by period
    nuisance: str
    hidden: int
    own: str  # in which fields of the condition it differs from the type
    shown: bool  # in the chart


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm that would have been raised."""

    start: datetime
    when: str
    stood: str
    value: str
    word: str
    names: Sequence[str]
    messages: int


@dataclass(frozen=True, slots=True)
class Callee:
    """One person or team that would have been called."""

    name: str
    messages: str
    at_night: int


@dataclass(frozen=True, slots=True)
class Option:
    """Settings with their price; `change` is what its button sends."""

    alarms: str
    settings: str
    price: str
    change: str


@dataclass(slots=True)
class Result:
    """What the page shows of a trial."""

    trial: Trial
    figures: Sequence[Figures]
    took: str
    ranged: str
    shown: Outcome | None  # whose history the chart draws
    node: Node | None
    machines: Sequence[Machine]
    further: int  # machines that the table leaves out
    lacking: Sequence[str]
    alarms: Sequence[Alarm]
    presented: int  # alarms of what is shown, in all of the time
    counted: int  # the newest of them, over which it is counted who would have been called
    marked: int  # the newest of them, which the chart marks
    called: Sequence[Callee]
    nobody: int  # of the alarms listed
    burst: str
    trend: dict[str, Any]
    explorer: str  # where the same history is looked at more closely


def result_of(
    trial: Trial, *, plant: Tree, lacking: Sequence[str], machine: str, of_type: bool, now: datetime
) -> Result:
    """Gives what the page shows.

    Takes: the code of the machine whose history is to be drawn; empty: the one with the most alarms.
    Cost: about 20 queries, and a third of a millisecond for each of at most CALLS alarms.
    """
    longest = PERIODS[-1]
    counts = {one.subject.code: count([one], longest, trial.end) for one in trial.outcomes}
    ranked = sorted(trial.outcomes, key=lambda one: (-counts[one.subject.code].alarms, one.subject.code))
    shown = next((one for one in ranked if one.subject.code == machine), ranked[0] if ranked else None)
    presented = [one for one in shown.raised if one.kind != Kind.HIDDEN] if shown is not None else []
    heard, listeners = _called(shown, presented[-CALLS:][::-1])
    sensors = _sensors(shown)
    whole = [count(trial.outcomes, days, trial.end) for days in PERIODS]
    burst = counts[shown.subject.code].worst if shown is not None else None
    return Result(
        trial=trial,
        figures=[_figures(one, trial, now) for one in whole],
        took=_took(trial),
        ranged=_("%(start)s to %(end)s") % {"start": _day(trial.start), "end": _day(trial.end)},
        shown=shown,
        node=plant.by_code.get(shown.subject.code) if shown is not None else None,
        machines=[_machine(one, trial, plant, counts, shown) for one in ranked[:MACHINES]] if of_type else [],
        further=max(0, len(ranked) - MACHINES) if of_type else 0,
        lacking=lacking,
        alarms=[_alarm(one, sensors, now) for one in heard[:ALARMS]],
        presented=len(presented),
        counted=len(heard),
        marked=min(MARKS, len(presented)),
        called=[_listener(one) for one in listeners],
        nobody=sum(not one.names for one in heard[:ALARMS]),
        burst=_burst(burst, now),
        trend=_trend(shown, sensors, trial, burst),
        explorer=f"{reverse('trends')}?{urlencode([('s', one.tag) for one in sensors[:LANES]] + [('t', '30d')])}",
    )


def _called(shown: Outcome | None, alarms: Sequence[Raised]) -> tuple[list[Called], list[Listener]]:
    if shown is None:
        return [], []
    values = shown.subject.values
    seat = values["position"] or Seats.load().of(shown.subject.asset)
    facts = Facts(
        shown.subject.asset,
        values["priority"],
        values["alarm_class"],
        ack_required=values["ack_required"],
        position=seat,
    )
    return called(facts, alarms)


def _sensors(shown: Outcome | None) -> list[Sensor]:
    """Gives the sensors of an outcome, the alarm's own first. Cost: one query."""
    if shown is None:
        return []
    numbers = [number for _, number, _ in shown.subject.inputs]
    found = Sensor.objects.filter(pk__in=numbers).select_related("asset").in_bulk()
    return [found[number] for number in numbers if number in found]


def _day(moment: datetime) -> str:
    return writing.day(moment)


def _took(trial: Trial) -> str:
    said = {"seconds": writing.number(max(0.1, trial.seconds), 1), "readings": writing.number(trial.readings, 0)}
    return ngettext("%(readings)s reading, took %(seconds)s s", "%(readings)s readings, took %(seconds)s s",
                    trial.readings) % said  # fmt: skip


def _figures(found: Count, trial: Trial, now: datetime) -> Figures:
    of_alarms = _of_alarms(found, trial, now)
    facts = [
        (_("%(count)s chattering") % {"count": writing.number(found.chattering, 0)}, _worst(found)),
        (_("%(count)s fleeting") % {"count": writing.number(found.fleeting, 0)}, _("over within a minute")),
        (_("%(count)s true") % {"count": writing.number(found.true, 0)}, _("stood 5 min, or somebody answered")),
        (
            _("%(time)s standing") % {"time": words.seconds(found.stood / SECOND)},
            _("the longest %(time)s") % {"time": words.seconds(found.longest / SECOND)},
        ),
    ]
    if found.hidden:
        facts.append((_("%(count)s hidden") % {"count": writing.number(found.hidden, 0)}, _("suppressed by design")))
    return Figures(found.days, found.alarms, of_alarms, facts)


def _of_alarms(found: Count, trial: Trial, now: datetime) -> str:
    """Gives what the number of alarms is of: a period, or as much of it as there are readings of."""
    if trial.first is None:
        return _("alarms, no data")
    first = from_us(trial.first)
    if first - (trial.end - timedelta(days=found.days)) <= _WHOLE_WITHIN:
        said = {"period": _period(found.days)}
        return ngettext("alarm in %(period)s", "alarms in %(period)s", found.alarms) % said
    said = {"since": writing.moment(first, now)}
    return ngettext("alarm, data since %(since)s", "alarms, data since %(since)s", found.alarms) % said


def _period(days: int) -> str:
    return _("24 h") if days == 1 else _("%(days)s days") % {"days": days}


def _worst(found: Count) -> str:
    if found.worst is None:
        return _("3 or more within a minute")
    said = {
        "count": found.worst_size,
        "when": _day(from_us(found.worst.start)),
        "time": words.seconds((found.worst.end - found.worst.start) / SECOND),
    }
    return _("%(count)s on %(when)s within %(time)s") % said


def _nuisance(found: Count) -> str:
    said = []
    if found.chattering:
        said.append(_("%(count)s chattering") % {"count": found.chattering})
    if found.fleeting:
        said.append(_("%(count)s fleeting") % {"count": found.fleeting})
    return ", ".join(said)


def _machine(one: Outcome, trial: Trial, plant: Tree, counts: Mapping[str, Count], shown: Outcome | None) -> Machine:
    mine = counts[one.subject.code]
    return Machine(
        one.subject.code,
        plant.by_code.get(one.subject.code),
        [count([one], days, trial.end).alarms for days in PERIODS[:-1]] + [mine.alarms],
        _nuisance(mine),
        mine.hidden,
        ", ".join(f"{label_of(name)} {text_of(name, value)}" for name, value in one.subject.own.items()),
        one is shown,
    )


def _alarm(one: Called, sensors: Sequence[Sensor], now: datetime) -> Alarm:
    raised = one.alarm
    start = from_us(raised.start)
    stood = words.seconds((raised.end - raised.start) / SECOND)
    value = ""
    if sensors and isfinite(raised.value):
        sensor = sensors[0]
        decimals = writing.decimals_for(sensor.range_low, sensor.range_high, sensor.decimals)
        value = f"{writing.number(raised.value, decimals)} {writing.unit(sensor.unit)}".strip()
    return Alarm(
        start,
        writing.moment(start, now),
        _("stands, %(time)s") % {"time": stood} if raised.stands else stood,
        value,
        str(kind_word(raised)),
        one.names,
        one.messages,
    )


def kind_word(raised: Raised) -> str:
    """Gives what is to be said of an alarm."""
    return {
        Kind.CHATTERS: _("chatters"),
        Kind.FLEETING: _("fleeting"),
        Kind.HIDDEN: _("hidden"),
        Kind.PLAIN: _("true") if raised.true else "",
    }[raised.kind]


def _listener(one: Listener) -> Callee:
    ways = dict(Channel.choices)
    parts = [f"{amount} {ways.get(way, way)}" for way, amount in sorted(one.by_channel.items())]
    return Callee(one.name, ", ".join(parts), one.at_night)


def _burst(burst: Stand | None, now: datetime) -> str:
    if burst is None:
        return ""
    start, end = timezone.localtime(from_us(burst.start)), timezone.localtime(from_us(burst.end))
    said = {"day": writing.day(start), "from": f"{start:%H:%M:%S}", "to": f"{end:%H:%M:%S}"}
    return _("%(day)s, %(from)s to %(to)s: the chattering") % said


def _trend(shown: Outcome | None, sensors: Sequence[Sensor], trial: Trial, burst: Stand | None) -> dict[str, Any]:
    """Gives what the script needs to draw the history with the alarms in it; times in seconds."""
    marks = [one for one in shown.raised if one.kind != Kind.HIDDEN] if shown is not None else []
    priority = shown.subject.values["priority"] if shown is not None else 3
    room = max(_ROOM, (burst.end - burst.start) // 4) if burst is not None else 0
    return {
        "code": shown.subject.code if shown is not None else "",
        "end": trial.end.timestamp(),
        "own": dict(shown.subject.own) if shown is not None else {},
        "lanes": _lanes(sensors[:LANES]),
        "marks": [{"time": one.start / SECOND, "priority": priority} for one in marks[-MARKS:]],
        "burst": None
        if burst is None
        else {
            "from": (burst.start - room) / SECOND,
            "until": (burst.end + room) / SECOND,
            "marks": [
                {"time": one.start / SECOND, "priority": priority}
                for one in marks
                if burst.start - room <= one.start <= burst.end + room
            ],
        },
    }


def _lanes(sensors: Sequence[Sensor]) -> list[dict[str, Any]]:
    """Gives the lanes' trends; sensors of one name are told apart by their tags."""
    named = Counter(sensor.name for sensor in sensors)
    lanes = [trend_of(sensor, []) for sensor in sensors]
    return [{**lane, "name": f"{lane['name']}, {lane['tag']}"} if named[lane["name"]] > 1 else lane for lane in lanes]


# --- Other settings --------------------------------------------------------------------------------------------------


def options_of(found: Findings, values: Mapping[str, Any], unit: str) -> list[Option]:
    """Gives the rule as it is written, then other settings with their price."""
    now = ", ".join(setting(field, values[field], unit) for field in ("deadband", "on_delay", "off_delay"))
    options = [Option(_alarms(found.alarms), _("As written: %(settings)s") % {"settings": now}, "", "")]
    return options + [_option(one, found, unit) for one in found.proposals[:5]]


def _alarms(number: int) -> str:
    return ngettext("%(count)s alarm", "%(count)s alarms", number) % {"count": writing.number(number, 0)}


def _option(one: Proposal, found: Findings, unit: str) -> Option:
    settings = ", ".join(setting(field, value, unit) for field, value in one.change.items())
    parts = []
    if found.true:
        kept = {"kept": found.true - one.price.missed, "of": found.true}
        parts.append(_("still %(kept)s of %(of)s true ones") % kept)
        if one.price.delay:
            parts.append(_("at most %(time)s later") % {"time": words.seconds(one.price.delay / SECOND)})
    if one.stood > 0:
        parts.append(_("standing %(time)s longer in all") % {"time": words.seconds(one.stood)})
    return Option(
        _alarms(one.price.alarms), settings[:1].upper() + settings[1:], ", ".join(parts), json.dumps(dict(one.change))
    )


def changes_in(text: str) -> dict[str, float]:
    """Reads what an option's button sends; nothing where it makes no sense."""
    try:
        sent = json.loads(text)
    except ValueError:
        return {}
    return _settings(sent) if isinstance(sent, dict) else {}


def asked_for(query: Mapping[str, str]) -> dict[str, float]:
    """Reads the settings that an editor's address asks for; nothing of what makes no sense."""
    found: dict[str, float] = {}
    for name, text in query.items():
        with suppress(ValueError):
            found[name] = float(text)
    return _settings(found)


def _settings(sent: Mapping[str, object]) -> dict[str, float]:
    fields = ("deadband", "on_delay", "off_delay")
    return {
        name: float(value)
        for name, value in sent.items()
        if name in fields and isinstance(value, int | float) and isfinite(value) and value >= 0
    }
