"""Annotations: what people say about a time of an asset or a sensor. Everybody reads them, each changes their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from devices.checks import Problem, check_text, refuse
from devices.models import Annotation, Asset, Sensor

LONGEST_TEXT = 500  # characters
MOST_SHOWN = 500
ADD = "devices.add_annotation"


def between(
    start: datetime, end: datetime, *, assets: Iterable[int] = (), sensors: Iterable[int] = ()
) -> QuerySet[Annotation]:
    """Gives the annotations that meet [start, end] and belong to any of the assets or sensors, in order of time.

    Takes: assets by id, for what is said of them and of any of their sensors; sensors by id, for theirs alone.
    """
    wanted = Q(asset__in=list(assets)) | Q(sensor__in=list(sensors))
    met = Annotation.objects.filter(wanted, end__gte=start, start__lte=end)
    return met.select_related("asset", "sensor__asset", "person").order_by("start", "pk")


@transaction.atomic
def annotate(
    *, asset: Asset, sensor: Sensor | None = None, start: datetime, end: datetime, text: str, by: User
) -> Annotation:
    """Writes an annotation of an asset, or of one of its sensors.

    Takes: an `end` that is the start for an instant. Raises: ValidationError.
    """
    made = Annotation(asset=asset, sensor=sensor, start=start, end=end, text=text.strip(), person=by)
    refuse(_problems(made))
    made.save()
    return made


@transaction.atomic
def change_annotation(
    *,
    annotation_id: int,
    by: User,
    start: datetime | None = None,
    end: datetime | None = None,
    text: str | None = None,
) -> Annotation:
    """Changes one's own annotation; what is left out stays.

    Raises: Annotation.DoesNotExist, PermissionDenied for somebody else's, ValidationError.
    """
    kept = _own(annotation_id, by)
    kept.start, kept.end = start or kept.start, end or kept.end
    kept.text = kept.text if text is None else text.strip()
    refuse(_problems(kept))
    kept.save()
    return kept


@transaction.atomic
def remove_annotation(*, annotation_id: int, by: User) -> None:
    """Takes one's own annotation away; its history stays.

    Raises: Annotation.DoesNotExist, PermissionDenied for somebody else's.
    """
    _own(annotation_id, by).delete()


def _own(number: int, by: User) -> Annotation:
    found = Annotation.objects.select_for_update().get(pk=number)
    if found.person_id != by.pk:
        raise PermissionDenied(_("Annotations are changed by those who wrote them."))
    return found


def _problems(annotation: Annotation) -> list[Problem]:
    problems = check_text("text", annotation.text, LONGEST_TEXT, needed=True)
    if annotation.end < annotation.start:
        problems.append(Problem("end", _("The time ends before it starts.")))
    if annotation.sensor is not None and annotation.sensor.asset_id != annotation.asset_id:
        words = _("%(sensor)s is no sensor of %(asset)s.")
        said = words % {"sensor": annotation.sensor.tag, "asset": annotation.asset.code}
        problems.append(Problem("sensor", said))
    return problems
