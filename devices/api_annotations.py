"""Annotations over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema, Status
from ninja.errors import AuthorizationError, HttpError
from pydantic import Field

from devices import annotating
from devices.api import find_sensors, iso, to_us
from devices.models import Annotation, Asset

MOST_ASKED = 100  # assets, and sensors, of one answer

router = Router()


class NewAnnotation(Schema):
    """What is said, of which asset or sensor, about which time; without `end` about an instant."""

    asset: str = ""
    sensor: str = ""
    start: datetime
    end: datetime | None = None
    text: str = Field(min_length=1, max_length=annotating.LONGEST_TEXT)


class ChangedAnnotation(Schema):
    """What is to be different; what is left out stays."""

    start: datetime | None = None
    end: datetime | None = None
    text: str | None = Field(None, min_length=1, max_length=annotating.LONGEST_TEXT)


def as_json(annotation: Annotation, reader: User | None = None) -> dict[str, Any]:
    """Gives an annotation as the API shows it. Cost: none when asset, sensor and person are loaded."""
    person = annotation.person
    return {
        "id": annotation.pk,
        "asset": annotation.asset.code,
        "sensor": annotation.sensor.tag if annotation.sensor else None,
        "start": iso(to_us(annotation.start)),
        "end": iso(to_us(annotation.end)),
        "text": annotation.text,
        "person": (person.get_full_name() or person.get_username()) if person else "",
        "own": reader is not None and annotation.person_id == reader.pk,
    }


def _person(request: HttpRequest) -> User:
    """Gives the person, if they may write annotations."""
    if not request.user.is_authenticated or not request.user.has_perm(annotating.ADD):
        raise AuthorizationError
    return request.user


def _assets(codes: list[str]) -> list[int]:
    """Gives assets by their codes. Raises: Http404, naming the first that is unknown. Cost: one query."""
    known = dict(Asset.objects.filter(code__in=codes).values_list("code", "pk")) if codes else {}
    unknown = next((code for code in codes if code not in known), None)
    if unknown is not None:
        raise Http404(f"There is no asset {unknown}.")
    return list(known.values())


def _refused(error: ValidationError) -> HttpError:
    return HttpError(422, " ".join(error.messages))


@router.get("/annotations", summary="Annotations that meet a range")
def list_annotations(
    request: HttpRequest,
    start: datetime,
    end: datetime,
    asset: list[str] = Query([], max_length=MOST_ASKED),  # type: ignore[type-arg]
    sensor: list[str] = Query([], max_length=MOST_ASKED),  # type: ignore[type-arg]
) -> dict[str, Any]:
    """What is said of the named assets with their sensors, and of the named sensors, in order of time; 500 at most.

    At most 100 assets and 100 sensors are named.
    """
    to_us(start), to_us(end)
    places = _assets(asset)
    tags = [found.pk for found in find_sensors(sensor)]
    rows = annotating.between(start, end, assets=places, sensors=tags)[: annotating.MOST_SHOWN]
    reader = request.user if request.user.is_authenticated else None
    return {"items": [as_json(row, reader) for row in rows]}


@router.post("/annotations", response={201: dict[str, Any]}, summary="Write an annotation")
def add_annotation(request: HttpRequest, body: NewAnnotation) -> Status[dict[str, Any]]:
    """Says something about a time of an asset or of a sensor."""
    by = _person(request)
    to_us(body.start), to_us(body.end or body.start)
    sensor = find_sensors([body.sensor])[0] if body.sensor else None
    asset = sensor.asset if sensor else Asset.objects.filter(code=body.asset).first()
    if asset is None:
        raise HttpError(422, "Name an asset (asset=press-01) or a sensor (sensor=press-01/bearing-temp) that exists.")
    try:
        made = annotating.annotate(
            asset=asset, sensor=sensor, start=body.start, end=body.end or body.start, text=body.text, by=by
        )
    except ValidationError as error:
        raise _refused(error) from None
    return Status(201, as_json(made, by))


@router.patch("/annotations/{number}", summary="Change an annotation of one's own")
def change_annotation(request: HttpRequest, number: int, body: ChangedAnnotation) -> dict[str, Any]:
    """Changes what is said or the time it is about."""
    by = _person(request)
    for moment in (body.start, body.end):
        if moment is not None:
            to_us(moment)
    try:
        kept = annotating.change_annotation(annotation_id=number, by=by, start=body.start, end=body.end, text=body.text)
    except Annotation.DoesNotExist:
        raise Http404(f"There is no annotation {number}.") from None
    except PermissionDenied:
        raise AuthorizationError from None
    except ValidationError as error:
        raise _refused(error) from None
    return as_json(kept, by)


@router.delete("/annotations/{number}", response={204: None}, summary="Take an annotation of one's own away")
def remove_annotation(request: HttpRequest, number: int) -> Status[None]:
    """Takes it away; its history stays."""
    try:
        annotating.remove_annotation(annotation_id=number, by=_person(request))
    except Annotation.DoesNotExist:
        raise Http404(f"There is no annotation {number}.") from None
    except PermissionDenied:
        raise AuthorizationError from None
    return Status(204, None)
