"""Assets, sensors and their history over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import available_timezones

from asgiref.sync import sync_to_async
from django.db.models import Q
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Query, Router
from ninja.errors import HttpError

from devices.models import Asset, Level, Sensor
from devices.telemetry import export, history, latest
from devices.telemetry.batch import Quality

router = Router()

_PAGE: int = Query(200, ge=1, le=1000)  # type: ignore[type-arg]  # an alias for the type checker

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_POINTS = 10_000
MOST_DRAWN = 24  # sensors in one drawing
MOST_EXPORTED = 1_000  # sensors in one export


def to_us(moment: datetime) -> int:
    """Gives µs since the epoch; a time without offset is refused.

    Raises: HttpError 422.
    """
    if moment.tzinfo is None:
        raise HttpError(422, "Times need an offset, for example 2026-03-01T06:00:00Z.")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def iso(us: int) -> str:
    """Gives ISO 8601 in UTC with microseconds and Z."""
    return (_EPOCH + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _asset(asset: Asset) -> dict[str, Any]:
    return {
        "code": asset.code,
        "name": asset.name,
        "level": asset.level,
        "parent": asset.parent.code if asset.parent else None,
        "type": asset.type.code if asset.type else None,
        "description": asset.description,
        "location": None if asset.latitude is None else [asset.latitude, asset.longitude],
        "plan": None if asset.plan_x is None else [asset.plan_x, asset.plan_y],
    }


def _sensor(sensor: Sensor, newest: latest.Latest | None) -> dict[str, Any]:
    return {
        "tag": sensor.tag,
        "key": sensor.key,
        "name": sensor.name,
        "quantity": sensor.quantity,
        "unit": sensor.unit,
        "range": [sensor.range_low, sensor.range_high] if sensor.range_low is not None else None,
        "normal": sensor.normal,
        "interval": sensor.interval,
        "decimals": sensor.decimals,
        "labels": sensor.labels,
        "last": None
        if newest is None
        else {"time": iso(newest.time), "value": newest.value, "quality": Quality(newest.quality).name.lower()},
    }


@router.get("/assets", summary="List assets")
def list_assets(
    request: HttpRequest,
    parent: str | None = None,
    level: Level | None = None,
    search: str = "",
    cursor: str = "",
    limit: int = _PAGE,
) -> dict[str, Any]:
    """Assets in order of their code, optionally only the children of one, of one level, or matching a word."""
    found = Asset.objects.select_related("parent", "type").order_by("code")
    if parent is not None:
        found = found.filter(parent__code=parent)
    if level is not None:
        found = found.filter(level=level)
    if search:
        found = found.filter(Q(code__icontains=search) | Q(name__icontains=search))
    if cursor:
        found = found.filter(code__gt=cursor)
    rows = list(found[: limit + 1])
    return {
        "items": [_asset(asset) for asset in rows[:limit]],
        "next": rows[limit - 1].code if len(rows) > limit else None,
    }


@router.get("/assets/{code}", summary="One asset with its sensors")
def get_asset(request: HttpRequest, code: str) -> dict[str, Any]:
    """The asset, its children's codes and its sensors with their newest readings."""
    asset = Asset.objects.select_related("parent", "type").filter(code=code).first()
    if asset is None:
        raise Http404(f"There is no asset {code}.")
    sensors = list(asset.sensors.select_related("asset"))
    newest = latest.read(sensor.pk for sensor in sensors)
    return {
        **_asset(asset),
        "children": list(
            Asset.objects.filter(parent=asset).order_by("position", "code").values_list("code", flat=True)
        ),
        "sensors": [_sensor(sensor, newest.get(sensor.pk)) for sensor in sensors],
    }


def _find_sensor(code: str, key: str) -> Sensor:
    sensor = Sensor.objects.select_related("asset").filter(asset__code=code, key=key).first()
    if sensor is None:
        raise Http404(f"There is no sensor {code}/{key}.")
    return sensor


def find_sensors(tags: list[str]) -> list[Sensor]:
    """Gives the sensors of some tags in their order, with their assets. Cost: one query.

    Raises: Http404 where one is not there.
    """
    wanted = Q(pk__in=[])
    for tag in tags:
        code, _, key = tag.partition("/")
        wanted |= Q(asset__code=code, key=key)
    found = {sensor.tag: sensor for sensor in Sensor.objects.filter(wanted).select_related("asset")}
    for tag in tags:
        if tag not in found:
            raise Http404(f"There is no sensor {tag[:140]}.")
    return [found[tag] for tag in tags]


@router.get("/sensors/{code}/{key}", summary="One sensor with its newest reading")
def get_sensor(request: HttpRequest, code: str, key: str) -> dict[str, Any]:
    """The sensor behind the tag `code/key`."""
    sensor = _find_sensor(code, key)
    return _sensor(sensor, latest.read([sensor.pk]).get(sensor.pk))


@router.get("/sensors/{code}/{key}/history", summary="A sensor's readings over a range")
def get_history(
    request: HttpRequest,
    code: str,
    key: str,
    start: datetime,
    end: datetime,
    points: int = Query(2000, ge=2, le=MOST_POINTS),  # type: ignore[type-arg]
) -> dict[str, Any]:
    """At most about `points` readings that keep the range's shape; all of them where there are fewer.

    Columns: `times` in milliseconds since the epoch, `values`; null marks a gap.
    """
    first, last = _range(start, end)
    sensor = _find_sensor(code, key)
    return {**_line(sensor, first, last, points), "start": iso(first), "end": iso(last)}


def _range(start: datetime, end: datetime) -> tuple[int, int]:
    """Gives a range in µs since the epoch. Raises: HttpError 422."""
    first, last = to_us(start), to_us(end)
    if last < first:
        raise HttpError(422, "The range ends before it starts.")
    return first, last


def _line(sensor: Sensor, first: int, last: int, points: int, *, edges: bool = False) -> dict[str, Any]:
    found = history.read_points(sensor.pk, first, last, points, edges=edges)
    return {
        "sensor": sensor.tag,
        "unit": sensor.unit,
        "thinned": found.thinned,
        "times": (found.time / 1000).tolist(),
        "values": [None if value != value else value for value in found.value.tolist()],  # NaN marks a gap
        "bad": (found.bad / 1000).tolist(),
    }


@router.get("/history", summary="Several sensors' readings over a range, to be drawn")
def get_histories(
    request: HttpRequest,
    start: datetime,
    end: datetime,
    sensor: list[str] = Query([], max_length=MOST_DRAWN),  # type: ignore[type-arg]
    points: int = Query(2000, ge=2, le=MOST_POINTS),  # type: ignore[type-arg]
    edges: bool = False,
) -> dict[str, Any]:
    """As a sensor's history, for up to 24 of them in the order of their names.

    `edges` adds each one's nearest readings outside the range. `bad` has from when to when readings were bad.
    """
    first, last = _range(start, end)
    lines = [_line(found, first, last, points, edges=edges) for found in find_sensors(sensor)]
    return {"start": iso(first), "end": iso(last), "items": lines}


@router.get("/summary", summary="A range of several sensors in figures")
def get_summaries(
    request: HttpRequest,
    start: datetime,
    end: datetime,
    sensor: list[str] = Query([], max_length=MOST_DRAWN),  # type: ignore[type-arg]
) -> dict[str, Any]:
    """Lowest, highest, mean and standard deviation over time, and the seconds outside the normal band.

    A good value holds until the next reading; where the sensor is silent, for one of its intervals. `known` is the
    seconds of the range in which one held. A range of more than 64 million readings of a sensor is not summed: its
    figures are null. What lies ahead of now does not count.
    """
    first, last = _range(start, end)
    last = max(first, min(last, to_us(timezone.now())))
    items = [_figures(found, first, last) for found in find_sensors(sensor)]
    return {"start": iso(first), "end": iso(last), "items": items}


def _figures(sensor: Sensor, first: int, last: int) -> dict[str, Any]:
    found = history.summarise(sensor.pk, first, last, interval=sensor.interval, normal=sensor.normal)
    if found is None:
        return {"sensor": sensor.tag, "unit": sensor.unit, "readings": None}
    newest = found.last
    return {
        "sensor": sensor.tag,
        "unit": sensor.unit,
        "readings": found.readings,
        "low": found.low,
        "high": found.high,
        "mean": found.mean,
        "deviation": found.deviation,
        "known": found.known / 1e6,
        "outside": None if found.outside is None else found.outside / 1e6,
        "last": None if newest is None else {"time": iso(newest.time), "value": newest.value},
    }


@router.get("/export", summary="Readings of a range as CSV or Parquet")
def get_export(
    request: HttpRequest,
    start: datetime,
    end: datetime,
    sensor: list[str] = Query([]),  # type: ignore[type-arg]
    asset: str | None = None,
    format: Literal["csv", "parquet"] = "csv",
    zone: str = "UTC",
) -> StreamingHttpResponse:
    """Every reading of the named sensors, or of an asset and all below it, with quality and lateness.

    A CSV file writes its times in the zone, each with its offset; Parquet keeps them in UTC.
    """
    first, last = _range(start, end)
    if zone not in available_timezones():
        raise HttpError(422, f"There is no time zone {zone}; expected a name such as Europe/Berlin.")
    wanted = Sensor.objects.none()
    if asset is not None:
        root = Asset.objects.filter(code=asset).first()
        if root is None:
            raise Http404(f"There is no asset {asset}.")
        wanted = Sensor.objects.filter(asset__in=root.descendants(include_self=True))
    for tag in sensor:
        code, _, key = tag.partition("/")
        wanted = wanted | Sensor.objects.filter(pk=_find_sensor(code, key).pk)
    sensors = list(wanted.select_related("asset").order_by("pk").distinct()[: MOST_EXPORTED + 1])
    if not sensors:
        raise HttpError(422, "Name at least one sensor (sensor=press-01/bearing-temp) or an asset (asset=line-a).")
    if len(sensors) > MOST_EXPORTED:
        raise HttpError(422, f"Over {MOST_EXPORTED} sensors; ask for a smaller asset.")
    chunks: Iterator[bytes]
    if format == "csv":
        chunks, kind = export.csv_chunks(sensors, first, last, zone), "text/csv; charset=utf-8"
    else:
        chunks, kind = export.parquet_chunks(sensors, first, last), "application/vnd.apache.parquet"
    answer = StreamingHttpResponse(one_by_one(chunks), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="readings.{format}"'
    return answer


async def one_by_one(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Gives a file's pieces as they are made: Django would first gather a plain iterator's in the web process."""

    def following() -> bytes | None:
        return next(chunks, None)

    while (piece := await sync_to_async(following)()) is not None:
        yield piece
