"""What is not heard of any more, and what rules did meanwhile."""

from django.db import models

from alerts.models.alarms import Alarm
from alerts.models.rules import Rule
from devices.models import Asset, Sensor


class Silence(models.Model):
    """A part of the plant from which nothing comes: an asset with all below it, or one sensor."""

    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="silences")
    sensor = models.ForeignKey(Sensor, models.SET_NULL, null=True, related_name="silences")
    of_sensor = models.BooleanField(default=False)  # it is the sensor that failed, and not the asset
    name = models.CharField(max_length=200)  # in words: "source edge-1"
    newest = models.BigIntegerField()  # arrival of the last reading from there, µs since the epoch
    noticed = models.DateTimeField()
    returned = models.DateTimeField(null=True)
    returned_us = models.BigIntegerField(null=True)  # by Redis's clock, as arrivals are
    alarm = models.ForeignKey(Alarm, models.SET_NULL, null=True, related_name="+")  # none: a rule of the sensor tells

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["asset"], condition=models.Q(returned=None, of_sensor=False), name="one_silence_per_asset"
            ),
            models.UniqueConstraint(
                fields=["sensor"], condition=models.Q(returned=None, of_sensor=True), name="one_silence_per_sensor"
            ),
        ]
        # silence: what lasts, and what is over for so short a time that it still matters
        indexes = [models.Index(fields=["returned_us"], name="silence_by_return")]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """Gives what is said of whatever lies below it."""
        return f"no data from {self.name}"


class Held(models.Model):
    """What a rule did by the clock while its sensors were silent: a raise that is not presented, a clear that waits."""

    rule = models.OneToOneField(Rule, models.CASCADE, related_name="held")
    silence = models.ForeignKey(Silence, models.SET_NULL, null=True, related_name="held")  # none: not placed yet
    words = models.CharField(max_length=220, blank=True)  # among the rule's reasons not to be presented
    # Of a clear; empty for a raise.
    clear_at = models.DateTimeField(null=True)
    clear_value = models.FloatField(null=True)
    clear_reason = models.CharField(max_length=300, blank=True)
    clear_from = models.DateTimeField(null=True)

    class Meta:
        ordering = ["rule_id"]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.words or 'a clear'}"
