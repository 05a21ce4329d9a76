"""A sign of life for a watcher outside: a monitor cannot report its own death, but its silence can be heard.

The address is a setting and nothing else: no person and no data can make Andon ask another one.
"""

from __future__ import annotations

from datetime import datetime

import requests
import structlog
from django.conf import settings
from django.db import DatabaseError

from alerts.notify import auditor
from plant.health import parts

log = structlog.get_logger(__name__)

TIMEOUT = (5, 10)  # seconds to connect, to answer


def beat(now: datetime) -> bool:
    """Asks HEARTBEAT_URL once, if database, Redis, workers and the auditor are all well; else keeps silent.

    Gives: whether the watcher has heard it. Its address, which may hold a secret, is in no log.
    """
    if not settings.HEARTBEAT_URL:
        return False
    if ill := what_is_ill(now):
        log.error("no heartbeat", ill=ill)
        return False
    try:
        answer = requests.get(settings.HEARTBEAT_URL, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        log.warning("heartbeat not heard", error=type(error).__name__)
        return False
    if not answer.ok:
        log.warning("heartbeat not heard", status=answer.status_code)
    return answer.ok


def what_is_ill(now: datetime) -> list[str]:
    """Gives the names of what is not well."""
    ill = [part.name for part in parts() if not part.works]
    if "database" not in ill:
        try:
            well = auditor.is_well(now)
        except DatabaseError:
            well = False
        if not well:
            ill.append("auditor")
    return ill
