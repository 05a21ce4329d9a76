"""How many alarms an operator position gets, and whether it is in a flood."""

from django.db import models


class FloodLoad(models.Model):
    """An operator position's present interval of ten minutes, and its flood."""

    position = models.CharField(max_length=64, unique=True)  # its code; empty: alarms of no position
    interval = models.BigIntegerField()  # regular ones, counted since the epoch
    count = models.PositiveIntegerField(default=0)
    since = models.BigIntegerField(null=True)  # the flood's first interval; none: no flood
    before = models.PositiveIntegerField(default=0)  # annunciated in the flood before the present interval

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.position or 'no position'}: {self.count}"


class FloodMark(models.Model):
    """Up to which row the journal has been counted."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seen = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"counted to {self.seen}"
