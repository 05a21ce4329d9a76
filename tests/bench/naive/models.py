"""Sensors, rules, readings and alarms, a row each."""

from django.db import models


class Sensor(models.Model):
    """A sensor."""

    tag = models.CharField(max_length=100, unique=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.tag


class Rule(models.Model):
    """A high limit."""

    sensor = models.ForeignKey(Sensor, models.CASCADE, related_name="rules")
    limit = models.FloatField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.sensor_id} >= {self.limit}"


class Reading(models.Model):
    """A reading."""

    sensor = models.ForeignKey(Sensor, models.CASCADE, related_name="readings")
    time = models.DateTimeField(db_index=True)
    value = models.FloatField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.sensor_id} {self.time} {self.value}"


class Alarm(models.Model):
    """An alarm."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="alarms")
    active = models.BooleanField(default=True)
    value = models.FloatField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.active}"
