"""What the workers do for alarms."""

from celery import shared_task
from django.utils import timezone

from alerts import retention
from alerts.instants import to_us
from alerts.notify import outbox


@shared_task(ignore_result=True, expires=10)
def send_due() -> None:
    """Sends the messages that are due; beat asks for it, and so does every commit that leaves some."""
    while outbox.send_due(timezone.now()):
        pass


@shared_task(ignore_result=True, expires=600)
def forget_left_out() -> None:
    """Deletes what is kept of readings that the history has let go."""
    retention.forget_left_out(to_us(timezone.now()))
