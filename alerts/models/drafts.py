"""Changes of rules that somebody proposes, and who gets the monthly report."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from alerts.models.rules import Rule, TypeRule


class DraftChange(models.Model):
    """New values for a rule, or for a type's rule, with the reason; in force only once somebody applies it."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", _("Open")
        APPLIED = "applied", _("Applied")
        DISCARDED = "discarded", _("Discarded")

    rule = models.ForeignKey(Rule, models.CASCADE, null=True, related_name="drafts")
    type_rule = models.ForeignKey(TypeRule, models.CASCADE, null=True, related_name="drafts")
    before = models.JSONField()  # the fields that change, as they were when it was drafted
    after = models.JSONField()
    reason = models.CharField(max_length=500)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drafted = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("draft change")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rule=None, type_rule__isnull=False) | models.Q(rule__isnull=False, type_rule=None),
                name="draft_of_one_rule_or_type_rule",
            ),
            models.UniqueConstraint(fields=["rule"], condition=models.Q(state="open"), name="one_open_draft_per_rule"),
            models.UniqueConstraint(
                fields=["type_rule"], condition=models.Q(state="open"), name="one_open_draft_per_type_rule"
            ),
        ]

    def __str__(self) -> str:
        return f"draft {self.pk} of {self.rule or self.type_rule}: {self.state}"


class ReportSubscription(models.Model):
    """A person who is mailed the monthly report of an operator position, or of the whole plant."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reports")
    position = models.ForeignKey("alerts.Position", models.CASCADE, null=True, related_name="+")
    sent_for = models.CharField(max_length=7, blank=True)  # the newest month that was mailed, as 2026-10

    class Meta:
        ordering = ["id"]
        verbose_name = _("subscription of the report")
        constraints = [
            models.UniqueConstraint(fields=["user", "position"], name="report_once_a_position"),
            models.UniqueConstraint(fields=["user"], condition=models.Q(position=None), name="report_once_of_plant"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: report of {self.position_id or 'the whole plant'}"
