"""Which parts of the plant are not heard now, for the screens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alerts.models import Alarm


@dataclass(frozen=True, slots=True)
class Silent:
    """What is said of something below a part that failed: the part's name, and since when nothing came from it."""

    name: str
    since: datetime


def silent_parts() -> Mapping[str, Silent]:
    """Gives each asset's code and each sensor's tag from which nothing can be known now. Cost: one query."""
    rows = Alarm.objects.filter(rule=None, closed=None, active=True, frozen__has_key="silent").order_by("-pk")
    found: dict[str, Silent] = {}
    for frozen in rows.values_list("frozen", flat=True):
        part = Silent(frozen["silent_name"], datetime.fromisoformat(frozen["silent_since"]))
        # The oldest is written last: it was silent before what failed above it.
        found.update(dict.fromkeys(frozen["silent"], part))
    return found
