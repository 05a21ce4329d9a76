"""How alarms and suppressions stood before they changed, so that any past moment can be shown as it was.

What stands now is in their own rows. A row here is what was there until a change was written; the moment is that of
the journal's `recorded`. Written by the book in the transaction of the change, never changed; see alerts.past.
"""

from django.conf import settings
from django.db import models

from alerts.models.alarms import Alarm, State
from alerts.models.rules import Rule


class AlarmPast(models.Model):
    """An alarm until it was changed."""

    alarm = models.ForeignKey(Alarm, models.CASCADE, related_name="past", db_index=False)
    until = models.DateTimeField()
    state = models.CharField(max_length=1, choices=State)
    suppressed = models.JSONField(default=list)
    active = models.BooleanField()
    cleared = models.DateTimeField(null=True)
    acked = models.DateTimeField(null=True)
    acked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    annunciations = models.PositiveIntegerField()
    first_out = models.BooleanField()
    silenced = models.DateTimeField(null=True)
    realarm_due = models.DateTimeField(null=True)
    # Null: as it is now. Only what Andon says of itself is given other words.
    message = models.CharField(max_length=200, null=True)  # noqa: DJ001
    frozen = models.JSONField(null=True)

    class Meta:
        ordering = ["id"]
        # alerts.past: how an alarm stood at a moment
        indexes = [models.Index(fields=["alarm", "until"], name="alarm_past")]

    def __str__(self) -> str:
        return f"alarm {self.alarm_id} until {self.until}: {self.state}"


class SuppressionPast(models.Model):
    """Why a rule's alarms were not presented, until that changed."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="+", db_index=False)
    until = models.DateTimeField()
    switches = models.JSONField(default=list)
    shelved_until = models.DateTimeField(null=True)
    one_shot = models.BooleanField(default=False)
    shelved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    shelved_at = models.DateTimeField(null=True)
    shelve_reason = models.CharField(max_length=300, blank=True)
    designed = models.JSONField(default=list)
    designed_at = models.DateTimeField(null=True)
    out_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    out_at = models.DateTimeField(null=True)
    out_reason = models.CharField(max_length=300, blank=True)
    work_order = models.CharField(max_length=64, blank=True)
    review = models.DateField(null=True)

    class Meta:
        ordering = ["id"]
        # alerts.past: how a rule's suppression stood at a moment
        indexes = [models.Index(fields=["rule", "until"], name="suppression_past")]

    def __str__(self) -> str:
        return f"{self.rule_id} until {self.until}: {', '.join(self.switches) or 'presented'}"


class FloodLoadPast(models.Model):
    """An operator position's load until more was counted, or its interval was over."""

    position = models.CharField(max_length=64)
    until = models.DateTimeField()
    interval = models.BigIntegerField(default=0)
    count = models.PositiveIntegerField(default=0)
    since = models.BigIntegerField(null=True)
    before = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        # alerts.past: what a position's load was at a moment
        indexes = [models.Index(fields=["position", "until"], name="flood_load_past")]

    def __str__(self) -> str:
        return f"{self.position or 'no position'} until {self.until}: {self.count}"


# What tells whose row of the past it is, and until when; and what is null where it is as it is now.
_APART = frozenset({"id", "alarm", "rule", "position", "until"})
WORDS = ("message", "frozen")


def kept(past: type[models.Model]) -> dict[str, str]:
    """Gives the fields of which a table keeps the past, by their names, as the names under which rows hold them."""
    fields = past._meta.local_concrete_fields
    return {field.name: field.attname for field in fields if field.name not in _APART and field.name not in WORDS}
