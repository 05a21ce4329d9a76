"""What sending leaves behind: every try, the doors for answers, browsers and team channels, the auditor's mark."""

from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from alerts.models.alarms import Alarm
from alerts.models.calling import Team
from alerts.models.rules import Priority


class Attempt(models.Model):
    """One try of a delivery. The row is there before the try begins, so that a lost worker leaves its trace."""

    class Outcome(models.TextChoices):
        """What became of the try."""

        OPEN = "open", _("Under way")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        REFUSED = "refused", _("Refused")
        UNKNOWN = "unknown", _("Never learned")  # a time-out, or the worker was lost: it may have arrived

    delivery = models.ForeignKey("alerts.Delivery", models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()  # begins anew when somebody sends it again
    began = models.DateTimeField()
    ended = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.OPEN)
    answer = models.CharField(max_length=500, blank=True)  # the provider's words

    class Meta:
        ordering = ["id"]
        verbose_name = _("try")
        verbose_name_plural = _("tries")

    def __str__(self) -> str:
        return f"try {self.number} of {self.delivery_id}: {self.outcome}"


class ReplyCode(models.Model):
    """What a person writes back by text message to acknowledge one occurrence, once."""

    code = models.CharField(max_length=8, unique=True)
    alarm = models.ForeignKey(Alarm, models.CASCADE, related_name="reply_codes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reply_codes")
    made = models.DateTimeField()
    used = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["alarm", "user"], condition=models.Q(used=None), name="one_open_code_per_person"
            ),
        ]

    def __str__(self) -> str:
        return f"code for alarm {self.alarm_id} and {self.user_id}"


class UsedLink(models.Model):
    """The nonce of an acknowledge link that has been used, kept until the link would have run out anyway."""

    nonce = models.CharField(max_length=32, primary_key=True)
    expires = models.DateTimeField(db_index=True)  # alerts.retention: what can go

    class Meta:
        ordering = ["expires"]

    def __str__(self) -> str:
        return f"link used, over at {self.expires}"


class PushEndpoint(models.Model):
    """A browser in which a person takes messages. Source: RFC 8030, RFC 8291."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="push_endpoints")
    endpoint = models.URLField(max_length=600, unique=True)  # the browser maker's address for this browser
    key = models.CharField(max_length=100)  # p256dh
    secret = models.CharField(max_length=40)  # auth
    browser = models.CharField(max_length=60)  # "Chrome on Android"
    made = models.DateTimeField()
    reached = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.browser} of {self.user_id}"


class TeamChannel(models.Model):
    """Where a team is told besides its people: Teams, Slack, Telegram, a webhook, as Apprise writes it."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    team = models.ForeignKey(
        Team,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="channels",
        verbose_name=_("team"),
        help_text=_("It is told whenever a plan calls this team; empty: never."),
    )
    lowest_priority = models.PositiveSmallIntegerField(
        _("lowest priority"), choices=Priority, default=Priority.LOW, help_text=_("It is not told of lower alarms.")
    )
    # A password in all but name: written once, shown never.
    url = models.CharField(
        _("address"), max_length=600, help_text=_("As Apprise writes it, for example slack://… or msteams://…")
    )
    history = HistoricalRecords(excluded_fields=["url"])

    class Meta:
        ordering = ["name"]
        verbose_name = _("team channel")

    def __str__(self) -> str:
        return self.name

    @property
    def belongs_to(self) -> str:
        """Gives the team's name; its own where it has no team. Cost: one query where the team is not loaded."""
        return self.team.name if self.team is not None else self.name

    @property
    def masked(self) -> str:
        """Gives what may be shown of the address: its kind."""
        return f"{urlsplit(self.url).scheme}://…"


class Audit(models.Model):
    """How far the auditor has looked, when, and what it found late. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    journal = models.BigIntegerField()  # rows up to this one have their messages, or it was told that they lack them
    plant = models.BigIntegerField(default=0)  # the plant model's revision then: who was asked for where
    at = models.DateTimeField()
    late = models.JSONField(default=list)  # what was due and had not gone out, in words

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"audited to {self.journal}"
