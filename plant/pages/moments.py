"""Times as a form gives them: by the clock of a zone, to the minute."""

from datetime import datetime
from zoneinfo import ZoneInfo

from alerts.calling import wall


def read(text: str, zone: ZoneInfo) -> datetime | None:
    """Reads what a browser sends of a date with a time; the first such instant. Gives None where it is none."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if local.tzinfo is not None or not 2000 <= local.year <= 2200:
        return None
    return wall.instant(local, zone)


def write(moment: datetime, zone: ZoneInfo) -> str:
    """Gives a moment as a browser takes it."""
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}"
