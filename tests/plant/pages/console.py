"""What the tests of the alarm console and of an alarm's page share."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from alerts.models import Alarm

RaiseAlarm = Callable[..., Alarm]


def page(browser: Client, address: str = "/alarms/") -> str:
    """Gives a page as text."""
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()
