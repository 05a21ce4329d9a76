"""What the workers do for alarms."""

from collections.abc import Callable
from datetime import datetime

import structlog
from celery import shared_task
from django.db import close_old_connections
from django.utils import timezone

from alerts import retention, reviews, system, timers
from alerts.calling import digests, escalation
from alerts.figures import mailing
from alerts.flood import services as flood
from alerts.instants import to_us
from alerts.notify import answers, auditor, outbox, trouble
from alerts.silence import services as silence
from devices.telemetry import failing, stream

log = structlog.get_logger(__name__)


@shared_task(ignore_result=True, expires=10)
def send_due() -> None:
    """Sends the messages that are due; beat asks for it, and so does every commit that leaves some."""
    if outbox.send_all(timezone.now):
        trouble.settle(timezone.now())


@shared_task(ignore_result=True, expires=50)
def audit() -> None:
    """Proves that the calls of the last minute went out."""
    auditor.audit(timezone.now())


@shared_task(ignore_result=True, expires=50)
def watch_reviews() -> None:
    """Says what is out of service past its review date."""
    _fire(reviews.watch_reviews, timezone.now())


@shared_task(ignore_result=True, expires=2)
def tick() -> None:
    """Does what time brings to alarms, each second; a service that fails holds up none behind it."""
    now = timezone.now()
    for name, service in SERVICES.items():
        try:
            service(now)
        except Exception:
            log.exception("service failed", service=name)
            # One that is broken would fail all the others too.
            close_old_connections()


def _fire(timer: Callable[..., int], now: datetime) -> None:
    """Lets a timer of alarms fire."""
    if count := timer(now=now):
        log.info("timers fired", timer=timer.__name__, transitions=count)


def _take_due_steps(now: datetime) -> None:
    """Takes the steps of calls that are due, round after round."""
    while escalation.take_due_steps(now):
        pass


# What time brings to alarms, in this order: what an earlier one presents, a later one may gather or call for.
SERVICES: dict[str, Callable[[datetime], object]] = {
    "expire shelving": lambda now: _fire(timers.expire_shelving, now),
    "re-alarm": lambda now: _fire(timers.realarm, now),
    "silence": silence.judge,
    "flood": lambda now: flood.follow(now=now),
    "steps of calls": _take_due_steps,
    "rotas": escalation.watch_rotas,
    "digests": digests.send_held,
}


@shared_task(ignore_result=True, expires=5)
def watch_drains() -> None:
    """Says whose readings are not judged because their drains fail, and when that is over."""
    made = system.not_judged(failures=failing.read(stream.connect()), now=timezone.now())
    if made.rows:
        log.info("failing drains told", transitions=made.rows, to_send=made.to_send)


@shared_task(ignore_result=True, expires=600)
def forget_left_out() -> None:
    """Deletes what is kept of readings that the history has let go."""
    retention.forget_left_out(to_us(timezone.now()))


@shared_task(ignore_result=True, expires=3600, autoretry_for=(mailing.NotSent,), retry_backoff=60, max_retries=6)
def mail_reports() -> None:
    """Mails last month's reports that have not gone out; beat asks every hour."""
    mailing.send_due(timezone.now())


@shared_task(ignore_result=True, expires=600)
def forget_used_links() -> None:
    """Deletes the marks of links that have run out."""
    answers.forget_used_links(timezone.now())
