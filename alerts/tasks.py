"""What the workers do for alarms."""

import structlog
from celery import shared_task
from django.utils import timezone

from alerts import retention, system, timers
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
    while outbox.send_due(timezone.now()):
        pass
    trouble.settle(timezone.now())


@shared_task(ignore_result=True, expires=50)
def audit() -> None:
    """Proves that the calls of the last minute went out."""
    auditor.audit(timezone.now())


@shared_task(ignore_result=True, expires=2)
def tick() -> None:
    """Does what time brings to alarms, each second."""
    now = timezone.now()
    for service in (timers.expire_shelving, timers.realarm):
        if count := service(now=now):
            log.info("timers fired", timer=service.__name__, transitions=count)
    silence.judge(now)
    flood.follow(now=now)
    while escalation.take_due_steps(now):
        pass
    escalation.watch_rotas(now)
    digests.send_held(now)


@shared_task(ignore_result=True, expires=5)
def watch_drains() -> None:
    """Says whose readings are not judged because their drains fail, and when that is over."""
    told = system.not_judged(failures=failing.read(stream.connect()), now=timezone.now())
    if told.rows:
        log.info("failing drains told", transitions=told.rows, to_send=told.to_send)


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
