"""Alarms, the journal and the backtest over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema
from ninja.errors import HttpError

from alerts import audit, queries, rules
from alerts.instants import from_us, to_us
from alerts.models import JournalEntry, Priority
from alerts.workbench.turn import turn
from devices.api import one_by_one
from devices.models import Asset

router = Router()

_PAGE: int = Query(200, ge=1, le=1000)  # type: ignore[type-arg]  # an alias for the type checker
_JOURNAL_PAGE: int = Query(500, ge=1, le=5000)  # type: ignore[type-arg]

MOST_FOUND = 5_000  # transitions in one answer of a backtest


class BacktestRequest(Schema):
    """A rule as in plant.yaml, put to the stored history of an asset."""

    asset: str
    rule: dict[str, Any]
    start: datetime
    end: datetime


@router.get("/alarms", summary="List alarms")
def list_alarms(
    request: HttpRequest,
    state: Literal["open", "all"] = "open",
    show: Literal["", "presented", "shelved", "suppressed", "out_of_service"] = "",
    priority: list[int | str] = Query([]),  # type: ignore[type-arg]
    asset: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    cursor: int | None = None,
    limit: int = _PAGE,
) -> dict[str, Any]:
    """Alarms, the newest first: open ones or all, by priority (1 to 4 or its word), of an asset and all below it.

    `show` keeps to what is presented, or to open alarms that are not, for one reason; `/suppressions` also lists the
    rules without an open alarm.
    """
    found = queries.alarms().order_by("-pk")
    if state == "open":
        found = found.filter(closed=None)
    if show == "presented":
        found = found.filter(suppressed=[])
    elif show:
        found = found.filter(closed=None, rule__suppression__in=queries.not_presented(show))
    if priority:
        found = found.filter(priority__in=[_priority(word) for word in priority])
    if asset is not None:
        found = found.filter(asset__in=_below(asset))
    if start is not None:
        found = found.filter(raised__gte=_moment(start))
    if end is not None:
        found = found.filter(raised__lte=_moment(end))
    if cursor is not None:
        found = found.filter(pk__lt=cursor)
    rows = list(found[: limit + 1])
    return {
        "items": [queries.as_json(alarm) for alarm in rows[:limit]],
        "next": rows[limit - 1].pk if len(rows) > limit else None,
    }


def _below(code: str) -> QuerySet[Asset]:
    """Gives an asset and all below it. Raises: Http404."""
    root = Asset.objects.filter(code=code).first()
    if root is None:
        raise Http404(f"There is no asset {code}.")
    found: QuerySet[Asset] = root.descendants(include_self=True)
    return found


@router.get("/suppressions", summary="What is not presented, and why")
def list_suppressions(
    request: HttpRequest,
    show: Literal["shelved", "suppressed", "out_of_service"],
    asset: str | None = None,
    cursor: int | None = None,
    limit: int = _PAGE,
) -> dict[str, Any]:
    """The rules whose alarms are not presented, with or without an open alarm: by whom, why and until when."""
    found = queries.not_presented(show).order_by("pk")
    if asset is not None:
        found = found.filter(rule__asset__in=_below(asset))
    if cursor is not None:
        found = found.filter(pk__gt=cursor)
    rows = list(found.select_related("rule__asset", "shelved_by", "out_by")[: limit + 1])
    return {
        "items": [said for _, _, said in queries.suppressions_as_json(rows[:limit])],
        "next": rows[limit - 1].pk if len(rows) > limit else None,
    }


def _priority(word: int | str) -> int:
    text = str(word).lower()
    for choice in Priority:
        if text in (str(choice.value), choice.name.lower()):
            return choice.value
    raise HttpError(422, f"There is no priority {word}; expected critical, high, medium, low or 1 to 4.")


@router.get("/alarms/{int:pk}", summary="One alarm")
def get_alarm(request: HttpRequest, pk: int) -> dict[str, Any]:
    """The occurrence with this number, with what its rule says to the operator and why it is not presented."""
    alarm = queries.alarms().filter(pk=pk).first()
    if alarm is None:
        raise Http404(f"There is no alarm {pk}.")
    return queries.in_full(alarm)


@router.get("/alarms/{int:pk}/events", summary="An alarm's rows of the journal")
def get_alarm_events(request: HttpRequest, pk: int) -> dict[str, Any]:
    """What happened to this occurrence, in order."""
    get_alarm(request, pk)
    return {
        "items": [audit.as_json(entry) for entry in JournalEntry.objects.filter(alarm=pk).order_by("pk")],
        "next": None,
    }


@router.get("/events", summary="The journal")
def list_events(request: HttpRequest, after: int = 0, limit: int = _JOURNAL_PAGE) -> dict[str, Any]:
    """Rows of the journal after a number, in order; `next` is the number to go on from."""
    rows = list(JournalEntry.objects.filter(pk__gt=after).order_by("pk")[: limit + 1])
    return {
        "items": [audit.as_json(entry) for entry in rows[:limit]],
        "next": rows[limit - 1].pk if len(rows) > limit else None,
    }


@router.get("/events/export", summary="The journal as CSV or JSON Lines")
def export_events(
    request: HttpRequest,
    start: datetime | None = None,
    end: datetime | None = None,
    format: Literal["csv", "jsonl"] = "csv",
) -> StreamingHttpResponse:
    """Rows recorded from `start` on and before `end`, with their hashes; JSON Lines hold every character as it is."""
    first = None if start is None else _moment(start)
    last = None if end is None else _moment(end)
    if first is not None and last is not None and last < first:
        raise HttpError(422, "The range ends before it starts.")
    kind = "text/csv; charset=utf-8" if format == "csv" else "application/x-ndjson"
    answer = StreamingHttpResponse(
        one_by_one(part.encode() for part in audit.export(form=format, start=first, end=last)), content_type=kind
    )
    answer["Content-Disposition"] = f'attachment; filename="journal.{format}"'
    return answer


@router.get("/events/anchor", summary="The newest row's number and hash")
def get_anchor(request: HttpRequest) -> dict[str, Any]:
    """To be kept elsewhere: `manage.py journal verify --anchor NUMBER:HASH` proves later that nothing was rewritten."""
    found = audit.anchor()
    return {"id": found.number, "hash": found.hash}


@router.post("/backtest", summary="What a rule would have raised")
def post_backtest(request: HttpRequest, body: BacktestRequest) -> dict[str, Any]:
    """Puts a rule, written as in plant.yaml, to the stored readings of an asset; nothing is changed."""
    # The compiled engine is loaded by a web process that is asked for a backtest, not by all of them (100 MB).
    from alerts.backtest import stored

    start, end = _us(body.start), _us(body.end)
    if end < start:
        raise HttpError(422, "The range ends before it starts.")
    asset = Asset.objects.filter(code=body.asset).first()
    if asset is None:
        raise Http404(f"There is no asset {body.asset}.")
    fields = {"sensor_key" if key == "sensor" else key: value for key, value in body.rule.items()}
    fields.setdefault("name", "backtest")
    try:
        spec = rules.draft_spec(asset=asset, **{"kind": "", **fields})
    except ValidationError as error:
        raise HttpError(422, " ".join(error.messages)) from error
    except TypeError as error:
        raise HttpError(422, f"The rule cannot be read: {error}.") from error
    if not turn.acquire(blocking=False):
        raise HttpError(429, "Another backtest is under way; ask again when it is done.")
    try:
        found = stored([spec], start, end, as_judged=False)
    finally:
        turn.release()
    return {
        "items": [
            {
                "time": queries.iso(from_us(row.time)),
                "transition": "active" if row.active else "return",
                "value": None if row.value != row.value else row.value,
            }
            for row in found[:MOST_FOUND]
        ],
        "active": sum(row.active for row in found),
        "next": None,
    }


def _moment(sent: datetime) -> datetime:
    """Gives a time in UTC. Raises: HttpError 422 for one without offset, which could mean any hour of a day."""
    if sent.tzinfo is None:
        raise HttpError(422, "Times need an offset, for example 2026-03-01T06:00:00Z.")
    try:
        return sent.astimezone(UTC)
    except OverflowError:
        raise HttpError(422, f"There is no time {sent.isoformat()} in UTC.") from None


def _us(sent: datetime) -> int:
    return to_us(_moment(sent))
