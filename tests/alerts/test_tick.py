"""What beat does each second: a service that fails holds up none behind it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import structlog
from django.db import connection, transaction
from django.utils import timezone

from alerts import tasks
from alerts.models import Delivery
from tests.alerts.calling import crew
from tests.alerts.calling.test_escalation import begin, mailed
from tests.alerts.notify.cast import alarm, machine

# A service that fails lets go of its connection, which a test inside a transaction would not survive.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


def call_due() -> None:
    """Begins a call whose next step is due by now."""
    began = timezone.now() - timedelta(seconds=61)
    crew.route(crew.plan("Main", (60, mailed("anna"))))
    with transaction.atomic():
        begin(alarm(machine(), raised=began), began)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("failing", ["expire shelving", "re-alarm", "silence", "flood"])
def test_a_service_that_raises_is_named_in_the_log_and_those_behind_it_run(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_due()

    def broken(now: datetime) -> None:
        raise ValueError("no such column")

    monkeypatch.setitem(tasks.SERVICES, failing, broken)
    with structlog.testing.capture_logs() as said:
        tasks.tick()
    assert Delivery.objects.count() == 1
    (line,) = [line for line in said if line["log_level"] == "error"]
    assert (line["event"], line["service"], line["exc_info"]) == ("service failed", failing, True)


def test_a_service_that_breaks_the_connection_leaves_a_new_one_to_those_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call_due()

    def broken(now: datetime) -> None:
        connection.ensure_connection()
        connection.connection.close()
        connection.cursor().execute("SELECT 1")

    monkeypatch.setitem(tasks.SERVICES, "silence", broken)
    tasks.tick()
    assert Delivery.objects.count() == 1


def test_the_services_run_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def running(name: str) -> Callable[[datetime], None]:
        return lambda now: ran.append(name)

    for name in tasks.SERVICES:
        monkeypatch.setitem(tasks.SERVICES, name, running(name))
    tasks.tick()
    assert ran == ["expire shelving", "re-alarm", "silence", "flood", "steps of calls", "rotas", "digests"]
