"""One task per reading."""

from asgiref.sync import async_to_sync
from celery import shared_task
from channels.layers import get_channel_layer

from tests.bench.naive.models import Alarm, Reading, Rule


@shared_task
def evaluate(reading_id: int) -> None:
    """Loads the reading and its sensor's rules, raises and clears, tells the screens."""
    reading = Reading.objects.select_related("sensor").get(pk=reading_id)
    for rule in Rule.objects.filter(sensor=reading.sensor):
        alarm = Alarm.objects.filter(rule=rule, active=True).first()
        if reading.value >= rule.limit and alarm is None:
            alarm = Alarm.objects.create(rule=rule, value=reading.value)
        elif reading.value < rule.limit and alarm is not None:
            alarm.active = False
            alarm.save()
    async_to_sync(get_channel_layer().group_send)(
        "live", {"type": "reading", "tag": reading.sensor.tag, "value": reading.value}
    )
