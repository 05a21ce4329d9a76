"""Alarms and the journal of their life."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from alerts.chain import GENESIS
from alerts.models.rules import Priority, Rule
from devices.models import Asset, Sensor


class State(models.TextChoices):
    """The core state of an alarm. Source: ISA-18.2 / IEC 62682."""

    NORMAL = "A", _("Normal")
    UNACKED = "B", _("Unacknowledged")
    ACKED = "C", _("Acknowledged")
    RETURNED = "D", _("Returned, unacknowledged")
    LATCHED_UNACKED = "E", _("Latched, unacknowledged")
    LATCHED_ACKED = "F", _("Latched, acknowledged")


class Alarm(models.Model):
    """One occurrence: from a raise to the next normal. It carries the rule as it was when it was raised."""

    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, related_name="alarms")
    sensor = models.ForeignKey(Sensor, models.SET_NULL, null=True, related_name="alarms")
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="alarms")
    rule_name = models.CharField(max_length=120)
    tag = models.CharField(max_length=140)
    asset_code = models.CharField(max_length=64)
    priority = models.PositiveSmallIntegerField(choices=Priority)
    state = models.CharField(max_length=1, choices=State)
    # Suppression is an axis of its own: it never hides that the alarm is active.
    suppressed = models.JSONField(default=list)  # of shelved, by_design, out_of_service
    active = models.BooleanField(default=True)  # the condition holds
    raised = models.DateTimeField()  # when it was due, not when somebody noticed
    cleared = models.DateTimeField(null=True)
    acked = models.DateTimeField(null=True)
    acked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    closed = models.DateTimeField(null=True)  # back to normal, or superseded by a new occurrence
    value = models.FloatField(null=True)
    limit = models.FloatField(null=True)
    unit = models.CharField(max_length=20, blank=True)
    message = models.CharField(max_length=200)
    annunciations = models.PositiveIntegerField(default=1)
    alarm_class = models.CharField(max_length=64, blank=True)
    position = models.CharField(max_length=64, blank=True)  # code of the operator position that answers it
    group = models.CharField(max_length=205, blank=True)  # first-out group, with its asset
    first_out = models.BooleanField(default=False)  # the first of its group in this trip
    silenced = models.DateTimeField(null=True)  # the horn was stopped; a later annunciation sounds again
    realarm_due = models.DateTimeField(null=True)
    frozen = models.JSONField(default=dict)  # the rule when it was raised
    version = models.PositiveIntegerField(default=0)  # of this row: compare-and-set

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("acknowledge_alarm", "Can acknowledge and comment alarms"),
            ("shelve_alarm", "Can shelve and unshelve alarms, reset latched ones and silence the horn"),
            ("service_alarm", "Can take alarms out of service and return them"),
        ]
        constraints = [
            # One open occurrence a rule: two workers cannot both raise it.
            models.UniqueConstraint(fields=["rule"], condition=models.Q(closed=None), name="one_open_alarm_per_rule"),
        ]
        indexes = [
            # queries.open_alarms: what stands now
            models.Index(fields=["priority", "-raised"], condition=models.Q(closed=None), name="alarm_open"),
            # the API's and the pages' lists by time
            models.Index(fields=["-raised"], name="alarm_by_time"),
            # a machine's page: its alarms
            models.Index(fields=["asset", "-raised"], name="alarm_by_asset"),
            # alerts.tasks: who is announced anew
            models.Index(fields=["realarm_due"], condition=models.Q(realarm_due__isnull=False), name="alarm_realarm"),
            # figures: what was open at a moment
            models.Index(fields=["closed", "raised"], name="alarm_by_closed"),
            # alerts.book: what stands of a first-out group, and which was the first of it
            models.Index(fields=["group"], condition=models.Q(closed=None) & ~models.Q(group=""), name="alarm_group"),
            models.Index(fields=["group", "-id"], condition=models.Q(first_out=True), name="alarm_first_out"),
        ]

    def __str__(self) -> str:
        return f"alarm {self.pk}: {self.message} [{self.state}]"


class JournalHead(models.Model):
    """The newest number and hash of the journal; its row lock is held to commit: numbers follow the commits."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"journal at {self.last}"


class JournalEntry(models.Model):
    """One transition, or one refused attempt, in the life of an alarm. Append-only."""

    id = models.BigIntegerField(primary_key=True)
    time = models.DateTimeField()  # when it was due
    recorded = models.DateTimeField()  # when it was written
    event = models.CharField(max_length=20)
    from_state = models.CharField(max_length=1)
    to_state = models.CharField(max_length=1)
    alarm = models.ForeignKey(Alarm, models.PROTECT, related_name="entries", null=True)
    rule_id = models.BigIntegerField(null=True)
    rule_name = models.CharField(max_length=120, blank=True)
    tag = models.CharField(max_length=140, blank=True)
    value = models.FloatField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=150, blank=True)
    clock_from = models.DateTimeField(null=True)
    hash = models.CharField(max_length=64)  # over the row and the hash before it; see alerts.chain

    class Meta:
        ordering = ["id"]
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal")
        indexes = [
            # evaluation and backtest: what a rule did not see because its clock had passed it
            models.Index(
                fields=["rule_id", "time"], condition=models.Q(clock_from__isnull=False), name="journal_by_clock"
            ),
            # figures: the rows of a period
            models.Index(fields=["time"], name="journal_by_time"),
            # queries.comments_of: what people wrote about assets, not about an alarm or a rule
            models.Index(
                fields=["tag", "-id"],
                condition=models.Q(alarm__isnull=True, rule_id__isnull=True),
                name="journal_of_assets",
            ),
            # alerts.past: what was written up to a moment; playback: what was written in a window
            models.Index(fields=["recorded"], name="journal_by_recorded"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.event} {self.from_state}→{self.to_state}"
