"""Who is told, by which way, and what became of it."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from alerts.models.alarms import Alarm
from alerts.models.rules import Priority
from devices.models import Asset


class Channel(models.TextChoices):
    """A way to reach a person, or a team."""

    EMAIL = "email", _("Email")
    SMS = "sms", _("SMS")
    PUSH = "push", _("Browser")
    TEAM = "team", _("Team channel")


# What a person may subscribe by; a team's channel belongs to nobody alone.
PERSONAL = (Channel.EMAIL, Channel.SMS, Channel.PUSH)


class Contact(models.Model):
    """How a person is reached, and how pages look for them."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="contact")
    email = models.EmailField(_("email"), blank=True)
    phone = models.CharField(
        _("mobile number"), max_length=20, blank=True, help_text=_("International form, for example +4915112345678.")
    )
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, help_text=_("Empty: the plant's."))
    theme = models.CharField(max_length=5, blank=True)  # dark, light; empty: as the system
    sound = models.BooleanField(_("alarms sound"), default=True)
    single_keys = models.BooleanField(
        _("single keys"), default=True, help_text=_("Off: only keys that type nothing, such as Esc, do something.")
    )
    language = models.CharField(_("language"), max_length=10, blank=True, help_text=_("Empty: the plant's."))
    # As Subscription.hours, by the person's clock. Null: none.
    quiet_hours = models.JSONField(_("quiet hours"), null=True, blank=True)
    quiet_lets = models.PositiveSmallIntegerField(
        _("comes through in quiet hours"),
        default=Priority.CRITICAL,
        help_text=_("This priority and above; 0: none."),
    )
    # Of calls by plan: {"1": ["sms", "email"], ...}. What is not named: as alerts.calling.directory says.
    channels = models.JSONField(_("channels by priority"), default=dict, blank=True)
    digest_from = models.PositiveSmallIntegerField(
        _("hourly digest"), default=0, help_text=_("For this priority and below; 0: none.")
    )
    hourly_limit = models.PositiveSmallIntegerField(
        _("messages an hour"), default=20, validators=[MinValueValidator(1)], help_text=_("The rest go into a digest.")
    )
    calls_also_clear = models.BooleanField(
        _("also tell when it returns to normal"), default=False, help_text=_("Of alarms that a plan called for.")
    )
    # Part of the address under which calendar programs read the person's duties; empty: none was asked for.
    calendar_key = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001  # several may have none
    browsers = models.PositiveSmallIntegerField(default=0, editable=False)  # their PushEndpoints, counted

    class Meta:
        ordering = ["user_id"]

    def __str__(self) -> str:
        return f"contact of {self.user_id}"


class Subscription(models.Model):
    """What reaches a person: alarms of an asset and all below it, from a priority up, by a channel, in weekly hours."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="subscriptions")
    asset = models.ForeignKey(
        Asset,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="subscriptions",
        verbose_name=_("asset"),
        help_text=_("Empty: the whole plant."),
    )
    lowest_priority = models.PositiveSmallIntegerField(_("lowest priority"), choices=Priority, default=Priority.HIGH)
    channel = models.CharField(_("channel"), max_length=5, choices=Channel)
    # Seven lists, Monday first, of [from, to] in minutes of the local day; to may be 1440. Null: always.
    hours = models.JSONField(_("weekly hours"), null=True, blank=True)
    also_clear = models.BooleanField(_("also tell when it returns to normal"), default=False)
    enabled = models.BooleanField(_("on"), default=True)
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)  # notify.auditor: what it asked for before is not known

    class Meta:
        ordering = ["id"]
        verbose_name = _("subscription")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.channel} ≥ {self.lowest_priority}"


class Delivery(models.Model):
    """One message to one person or team by one channel: due, sent, or why not. This table is the outbox."""

    class Outcome(models.TextChoices):
        """What became of it."""

        DUE = "due", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        HELD = "held", _("Held for a digest")
        GATHERED = "gathered", _("In a digest")
        WITHHELD = "withheld", _("Not sent")
        DEAD = "dead", _("Given up")

    # Occurrence, event or step, person and channel or team's channel: written once.
    key = models.CharField(max_length=120, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="deliveries")
    team = models.ForeignKey("alerts.TeamChannel", models.CASCADE, null=True, related_name="deliveries")
    subscription = models.ForeignKey(Subscription, models.SET_NULL, null=True, related_name="deliveries")
    alarm = models.ForeignKey(Alarm, models.CASCADE, null=True, related_name="deliveries")  # none: a test message
    journal_id = models.BigIntegerField(null=True)
    event = models.CharField(max_length=20)  # raise, realarm, clear, call, digest, test
    channel = models.CharField(max_length=5, choices=Channel)  # team where it goes to a team
    address = models.CharField(max_length=254, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.DUE)
    reason = models.CharField(max_length=300, blank=True)  # why it is sent, or why not
    attempts = models.PositiveSmallIntegerField(default=0)
    # Tries that began and whose outcome was never learned: it may have gone out as many times besides.
    unlearned = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(max_length=500, blank=True)  # the provider's last word
    message_id = models.CharField(max_length=200, blank=True)
    on_call = models.BooleanField(default=False)  # a duty: quiet hours do not hold it
    steps = models.JSONField(default=list)  # of its alarm's plan, as run.round.step, that it calls for; notify.auditor
    flood = models.BooleanField(default=False)  # held for a flood's digest
    digest = models.ForeignKey("self", models.SET_NULL, null=True, related_name="gathered")  # in which it was told
    created = models.DateTimeField()
    due = models.DateTimeField()  # not before
    # When it was due first, where since then its channel is down or asks to be left alone; notify.auditor.
    first_due = models.DateTimeField(null=True)
    claimed = models.DateTimeField(null=True)  # by a worker that is sending it
    sent = models.DateTimeField(null=True)
    given_up = models.DateTimeField(null=True)
    dismissed = models.DateTimeField(null=True)  # somebody has seen that it was given up, and lets it be

    class Meta:
        ordering = ["-id"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, team=None) | models.Q(user=None, team__isnull=False),
                name="delivery_to_person_or_team",
            ),
        ]
        indexes = [
            # notify.outbox: what is due now
            models.Index(fields=["outcome", "due"], name="delivery_due"),
            # notify.trouble: what was given up and nobody has looked at
            models.Index(
                fields=["channel", "given_up"],
                condition=models.Q(outcome="dead", dismissed=None),
                name="delivery_given_up",
            ),
            # notify.trouble: whether a channel has delivered since
            models.Index(fields=["channel", "sent"], condition=models.Q(outcome="sent"), name="delivery_sent"),
            # plant.health: what may have been sent twice
            models.Index(fields=["unlearned"], condition=models.Q(unlearned__gt=0), name="delivery_unlearned"),
            # routing: what a person was sent within the hour
            models.Index(fields=["user", "due"], name="delivery_lately"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.user_id or self.team_id} by {self.channel}: {self.outcome}"
