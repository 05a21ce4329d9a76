"""Changes of synoptics: the only way in which they are written. Every version is kept, with who, when and why."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from devices.checks import Problem, check_code, check_text, refuse
from devices.models import Asset
from devices.records import because
from plant.models import Synoptic
from plant.synoptic import queries
from plant.synoptic.cleaning import clean
from plant.synoptic.tree import Unfit

LONGEST_NAME = 120


class Overtaken(Exception):
    """Somebody has changed the synoptic since it was read."""

    def __init__(self, seen: int) -> None:
        super().__init__("The synoptic was changed meanwhile.")
        self.seen = seen  # the newest version now


def create_synoptic(*, name: str, asset: Asset | None, file: bytes, code: str = "", reason: str = "") -> Synoptic:
    """Adds a synoptic of an asset.

    Takes: the file as it was uploaded; a code, or nothing for one made of the name.
    Raises: ValidationError for what is no drawing, or lacks something.
    """
    with transaction.atomic(), because(reason or _("uploaded")):
        row = Synoptic(code=code or free_code(name), name=name.strip(), asset=asset)
        problems = _check(row)
        if Synoptic.objects.filter(code=row.code).exists():
            problems.append(Problem("code", _("there is a synoptic %(code)s already.") % {"code": row.code}))
        problems += _draw(row, file)
        refuse(problems)
        row.save()
    return row


def update_synoptic(
    *, synoptic: Synoptic, reason: str = "", file: bytes | None = None, seen: int | None = None, **changes: Any
) -> Synoptic:
    """Changes a synoptic: name, asset, its drawing by another file. Its code stays: plant.yaml calls it by it.

    Takes: the version that the person saw, where somebody's change in between must not be lost.
    Raises: ValidationError, as `create_synoptic`; then the drawing before stays. Overtaken.
    """
    with transaction.atomic(), because(reason):
        synoptic = Synoptic.objects.select_for_update().get(pk=synoptic.pk)
        if seen is not None and (now := newest(synoptic)) != seen:
            raise Overtaken(now)
        touched = {field for field, value in changes.items() if getattr(synoptic, field) != value}
        if "code" in touched:
            refuse([Problem("code", _("the code stays: plant.yaml calls the synoptic by it."))])
        for field in touched:
            setattr(synoptic, field, changes[field])
        problems = _check(synoptic)
        if file is not None:
            problems += _draw(synoptic, file)
        refuse(problems)
        if touched or file is not None:
            synoptic.save()
    return synoptic


def newest(synoptic: Synoptic) -> int:
    """Gives the number of the newest version. Cost: one query."""
    return synoptic.history.order_by("-history_id").values_list("history_id", flat=True).first() or 0


def take_back(*, synoptic: Synoptic, number: int, reason: str = "") -> Synoptic:
    """Gives a synoptic the drawing, name and place of one of its versions again: a version of its own.

    Raises: ValidationError where there is no such version, or its asset is gone.
    """
    with transaction.atomic():
        row = Synoptic.objects.select_for_update().get(pk=synoptic.pk)
        old = row.history.exclude(history_type="-").filter(history_id=number).first()
        if old is None:
            raise ValidationError(_("There is no such version of this synoptic."))
        if not Asset.objects.filter(pk=old.asset_id).exists():
            raise ValidationError(_("The asset of that version is no longer in the plant."))
        for field in ("name", "asset_id", "drawing", "original", "remarks"):
            setattr(row, field, getattr(old, field))
        words = _("back to the version of %(time)s UTC") % {"time": f"{old.history_date:%Y-%m-%d %H:%M}"}
        with because(reason.strip() or words):
            row.save()
    return row


def delete_synoptic(*, synoptic: Synoptic, reason: str = "") -> None:
    """Takes a synoptic away; its versions stay in the history."""
    with transaction.atomic(), because(reason):
        synoptic.delete()


def free_code(name: str) -> str:
    """Gives a code made of a name that no synoptic has. Cost: one query."""
    stem = slugify(name)[:50] or "synoptic"
    taken = set(Synoptic.objects.filter(code__startswith=stem).values_list("code", flat=True))
    return next(code for number in range(1, len(taken) + 2) if (code := _numbered(stem, number)) not in taken)


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


def _check(row: Synoptic) -> list[Problem]:
    problems = [*check_code("code", row.code), *check_text("name", row.name, LONGEST_NAME, needed=True)]
    if not row.asset_id:
        problems.append(Problem("asset", _("Choose the part of the plant that it shows.")))
    return problems


def _draw(row: Synoptic, file: bytes) -> list[Problem]:
    """Sets a row's drawing; gives why the file is none."""
    try:
        cleaned = clean(file)
    except Unfit as unfit:
        return [Problem("file", str(unfit))]
    row.drawing = cleaned.drawing
    row.original = sha256(file).hexdigest()
    noted = [*cleaned.remarks, *queries.remarks(cleaned.bindings)]
    row.remarks = [[one.line, one.words] for one in sorted(noted, key=lambda one: one.line)]
    return []
