"""The figures over HTTP, under the names of OPC UA's AlarmMetricsType and our own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Router
from ninja.errors import HttpError

from alerts.figures.query import Report, report
from alerts.figures.rates import Flood
from alerts.figures.summary import Figures, Stood
from alerts.figures.targets import TARGETS
from alerts.instants import from_us
from alerts.models import Position
from alerts.queries import iso

router = Router()

LONGEST = timedelta(days=366)
_RATE_MINUTES = 10


def metrics(figures: Figures) -> dict[str, Any]:
    """Gives the members of OPC UA's AlarmMetricsType; durations in ms, each rate with its window in minutes."""

    def rate(value: float) -> dict[str, Any]:
        return {"Value": value, "Rate": _RATE_MINUTES}

    return {
        "AlarmCount": figures.annunciations,
        "StartTime": _moment(figures.start),
        "MaximumActiveState": figures.longest_active * 1000,
        "MaximumUnAck": figures.longest_wait * 1000,
        "CurrentAlarmRate": rate(figures.current),
        "MaximumAlarmRate": rate(figures.peak_ten),
        "MaximumReAlarmCount": figures.most_realarms,
        "AverageAlarmRate": rate(figures.per_ten),
    }


def as_json(made: Report) -> dict[str, Any]:
    """Gives a report as the API writes it; shares are parts of 1, durations seconds."""
    figures, answers = made.figures, made.figures.answers

    def source(number: int) -> dict[str, Any]:
        known = made.sources.get(number)
        return {
            "rule": known.name if known else "",
            "sensor": known.tag if known else "",
            "asset": known.asset if known else "",
            "priority": known.priority if known else None,
            "alarm": figures.newest[number],
        }

    return {
        "position": made.position.code if made.position is not None else None,
        "start": iso(made.start),
        "end": iso(made.end),
        "metrics": metrics(figures),
        "staffed_hours": figures.staffed_hours,
        "recorded_share": figures.recorded_share,
        "unstaffed": figures.unstaffed,
        "level": figures.level,
        "figures": {
            key: {"value": figures.value(key), "standing": figures.standing_of(key), "target": target.words,
                  "by": target.by}
            for key, target in TARGETS.items()
        },
        "peak_hour": figures.peak_hour,
        "peak_at": _moment(figures.peak_ten_at),
        "priorities": {str(level): count for level, count in figures.priorities.items()},
        "floods": [_flood(flood) for flood in figures.floods],
        "top": [{**source(one.source), "count": one.count, "share": one.share} for one in figures.top],
        "chattering": [
            {**source(one.source), "raises": one.raises, "worst_minute": one.worst, "index": one.index}
            for one in figures.chatter
        ],
        "fleeting": [{**source(one.source), "count": one.count, "shortest": one.shortest} for one in figures.fleeting],
        "stale": [{**source(one.source), **_stood(one)} for one in figures.stale],
        "standing": [{**source(one.source), **_stood(one)} for one in figures.standing],
        "stale_by_day": [
            {"day": _moment(day), "count": count}
            for day, count in zip(figures.days, figures.stale_days, strict=False)
        ],
        "hidden": {
            "shelvings": figures.times_shelved,
            "suppressions": figures.times_suppressed,
            "removals_from_service": figures.times_out_of_service,
            "now": None if figures.hidden is None else {
                "shelved": figures.hidden.shelved,
                "by_design": figures.hidden.by_design,
                "out_of_service": figures.hidden.out_of_service,
            },
        },
        "acknowledged": {
            "count": answers.count,
            "median": answers.median,
            "p95": answers.p95,
            "with_time_to_respond": answers.timed,
            "late": answers.late,
        },
    }  # fmt: skip


def _moment(us: int) -> str | None:
    return iso(from_us(us))


def _flood(flood: Flood) -> dict[str, Any]:
    return {
        "start": _moment(flood.start),
        "end": _moment(flood.end),
        "count": flood.count,
        "peak": flood.peak,
        "running": flood.running,
    }


def _stood(one: Stood) -> dict[str, Any]:
    seconds = (one.until - one.since) / 1_000_000
    return {"since": _moment(one.since), "until": None if one.open else _moment(one.until), "seconds": seconds}


@router.get("/figures", summary="The figures of alarm management")
def get_figures(
    request: HttpRequest, start: datetime | None = None, end: datetime | None = None, position: str | None = None
) -> dict[str, Any]:
    """The figures of an operator position, or of the whole plant, for a period; without one, of the last 7 days.

    `metrics` holds the members of OPC UA's AlarmMetricsType. Only what is presented counts, in staffed time.
    """
    now = timezone.now()
    until = now if end is None else _utc(end)
    since = until - timedelta(days=7) if start is None else _utc(start)
    if not since < until:
        raise HttpError(422, "The period ends before it starts.")
    if until - since > LONGEST:
        raise HttpError(422, f"A period has at most {LONGEST.days} days.")
    if since >= now:
        raise HttpError(422, "The period lies in the future.")
    at = None
    if position is not None:
        at = Position.objects.filter(code=position).first()
        if at is None:
            raise Http404(f"There is no operator position {position}.")
    return as_json(report(position=at, start=since, end=until, now=now))


def _utc(sent: datetime) -> datetime:
    if sent.tzinfo is None:
        raise HttpError(422, "Times need an offset, for example 2026-03-01T06:00:00Z.")
    try:
        return sent.astimezone(UTC)
    except OverflowError:
        raise HttpError(422, f"There is no time {sent.isoformat()} in UTC.") from None
