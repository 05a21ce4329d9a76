"""Rules, alarms, the journal of their life, and who is told."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from devices.models import Asset, AssetType, Sensor


class Kind(models.TextChoices):
    """What a rule looks for; docs/rules.md says exactly what each means."""

    HIGH = "high", _("High limit")
    LOW = "low", _("Low limit")
    OUTSIDE = "outside", _("Outside a band")
    EQUALS = "equals", _("Equals")
    NOT_EQUALS = "not_equals", _("Differs from")
    RATE_HIGH = "rate_high", _("Rises too fast")
    RATE_LOW = "rate_low", _("Falls too fast")
    DEVIATION = "deviation", _("Deviates from a reference")
    EXPRESSION = "expression", _("Expression over several sensors")
    STALE = "stale", _("No reading")
    FLATLINE = "flatline", _("Does not move")


class Priority(models.IntegerChoices):
    """How soon an operator must answer; 1 comes first."""

    CRITICAL = 1, _("Critical")
    HIGH = 2, _("High")
    MEDIUM = 3, _("Medium")
    LOW = 4, _("Low")


class Condition(models.Model):
    """A rule's content, shared by a type's rules and an asset's own. Durations are seconds."""

    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    # A key of the same asset. The tag of an expression's first input stands for it.
    sensor_key = models.CharField(_("sensor"), max_length=64, blank=True)
    limit = models.FloatField(
        _("limit"), null=True, blank=True, help_text=_("In the sensor's unit; for rates per `per`.")
    )
    deadband = models.FloatField(
        _("deadband"),
        default=0.0,
        validators=[MinValueValidator(0.0)],
        help_text=_("In the sensor's unit; acts on clearing only."),
    )
    low = models.FloatField(_("low"), null=True, blank=True)
    high = models.FloatField(_("high"), null=True, blank=True)
    value = models.FloatField(_("value"), null=True, blank=True)
    reference = models.CharField(
        _("reference"), max_length=140, blank=True, help_text=_("A number, a key of the same asset or a tag.")
    )
    window = models.FloatField(_("window"), null=True, blank=True, help_text=_("Seconds over which a rate is taken."))
    per = models.FloatField(_("per"), default=60.0, help_text=_("Seconds that a rate is given for."))
    timeout = models.FloatField(_("timeout"), null=True, blank=True, help_text=_("Seconds without a reading."))
    duration = models.FloatField(_("duration"), null=True, blank=True, help_text=_("Seconds without a change."))
    tolerance = models.FloatField(_("tolerance"), default=0.0, validators=[MinValueValidator(0.0)])
    expression = models.CharField(_("expression"), max_length=500, blank=True)
    inputs = models.JSONField(
        _("inputs"),
        default=dict,
        blank=True,
        help_text=_("Names in the expression, each with a key of the same asset or a tag."),
    )
    on_delay = models.FloatField(
        _("on-delay"), default=0.0, validators=[MinValueValidator(0.0)], help_text=_("Seconds.")
    )
    off_delay = models.FloatField(
        _("off-delay"), default=0.0, validators=[MinValueValidator(0.0)], help_text=_("Seconds.")
    )
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.MEDIUM)
    ack_required = models.BooleanField(_("needs acknowledgement"), default=True)
    latching = models.BooleanField(_("latching"), default=False, help_text=_("Stays until it is reset by hand."))
    cause = models.TextField(_("likely cause"), blank=True)
    consequence = models.TextField(_("if nobody acts"), blank=True)
    action = models.TextField(_("what to do"), blank=True)
    time_to_respond = models.FloatField(_("time to respond"), null=True, blank=True, help_text=_("Seconds."))
    enabled = models.BooleanField(_("in force"), default=True)

    class Meta:
        abstract = True


class TypeRule(Condition):
    """A rule that every asset of a type gets."""

    type = models.ForeignKey(AssetType, models.CASCADE, related_name="rules", verbose_name=_("asset type"))
    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]
        verbose_name = _("rule of a type")
        constraints = [models.UniqueConstraint(fields=["type", "name"], name="type_rule_name_once")]

    def __str__(self) -> str:
        return f"{self.type.code}: {self.name}"


class Rule(Condition):
    """A rule of one asset. One of its type has `origin`; `overrides` names the fields in which it differs."""

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="rules", verbose_name=_("asset"))
    origin = models.ForeignKey(TypeRule, models.SET_NULL, null=True, blank=True, editable=False, related_name="copies")
    overrides = models.JSONField(default=list, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)  # a new one starts the rule anew
    # The shard where it is judged: its asset's, or the home of a rule over several machines.
    shard = models.PositiveSmallIntegerField(default=0, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ["asset_id", "id"]
        verbose_name = _("rule")
        constraints = [models.UniqueConstraint(fields=["asset", "name"], name="rule_name_once")]
        # evaluation: the rules of a shard
        indexes = [models.Index(fields=["shard", "enabled"], name="rule_by_shard")]

    def __str__(self) -> str:
        return f"{self.asset.code}: {self.name}"


class RuleInput(models.Model):
    """A sensor that a rule reads; place 0 is the sensor the alarm belongs to."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="reads")
    place = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=64, blank=True)  # in an expression
    sensor = models.ForeignKey(Sensor, models.CASCADE, related_name="read_by")

    class Meta:
        ordering = ["rule_id", "place"]
        constraints = [models.UniqueConstraint(fields=["rule", "place"], name="rule_input_place_once")]

    def __str__(self) -> str:
        return f"{self.rule_id}[{self.place}] = {self.sensor_id}"


class LeftOut(models.Model):
    """A reading not put to a rule over several sensors, because its instant had been judged before it came."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="left_out")
    version = models.PositiveIntegerField()
    sensor_id = models.IntegerField()
    time = models.BigIntegerField()  # µs since the epoch

    class Meta:
        ordering = ["id"]
        # backtest over the stored history: what a rule did not see
        indexes = [models.Index(fields=["rule", "time"], name="left_out_by_rule")]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.sensor_id} at {self.time}"


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
    frozen = models.JSONField(default=dict)  # the rule when it was raised
    version = models.PositiveIntegerField(default=0)  # of this row: compare-and-set

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("acknowledge_alarm", "Can acknowledge and comment alarms"),
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
        ]

    def __str__(self) -> str:
        return f"alarm {self.pk}: {self.message} [{self.state}]"


class JournalHead(models.Model):
    """The newest journal number; its row lock is held to commit, so that numbers are in the order of commits."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last = models.BigIntegerField(default=0)

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

    class Meta:
        ordering = ["id"]
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal")
        indexes = [
            # evaluation and backtest: what a rule did not see because its clock had passed it
            models.Index(
                fields=["rule_id", "time"], condition=models.Q(clock_from__isnull=False), name="journal_by_clock"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.event} {self.from_state}→{self.to_state}"


class Channel(models.TextChoices):
    """A way to reach a person."""

    EMAIL = "email", _("Email")
    SMS = "sms", _("SMS")


class Contact(models.Model):
    """How a person is reached, and how pages look for them."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="contact")
    email = models.EmailField(_("email"), blank=True)
    phone = models.CharField(
        _("mobile number"), max_length=20, blank=True, help_text=_("International form, for example +4915112345678.")
    )
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, help_text=_("Empty: the plant's."))
    theme = models.CharField(max_length=5, blank=True)  # dark, light; empty: as the system

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

    class Meta:
        ordering = ["id"]
        verbose_name = _("subscription")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.channel} ≥ {self.lowest_priority}"


class Delivery(models.Model):
    """One message to one person by one channel: due, sent, or why not. This table is the outbox."""

    class Outcome(models.TextChoices):
        """What became of it."""

        DUE = "due", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        WITHHELD = "withheld", _("Not sent")
        DEAD = "dead", _("Given up")

    key = models.CharField(max_length=120, unique=True)  # occurrence, event, user, channel: written once
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="deliveries")
    subscription = models.ForeignKey(Subscription, models.SET_NULL, null=True, related_name="deliveries")
    alarm = models.ForeignKey(Alarm, models.CASCADE, null=True, related_name="deliveries")  # none: a test message
    journal_id = models.BigIntegerField(null=True)
    event = models.CharField(max_length=20)  # raise, realarm, clear, test
    channel = models.CharField(max_length=5, choices=Channel)
    address = models.CharField(max_length=254, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.DUE)
    reason = models.CharField(max_length=300, blank=True)  # why it is sent, or why not
    attempts = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(max_length=500, blank=True)  # the provider's last word
    message_id = models.CharField(max_length=200, blank=True)
    created = models.DateTimeField()
    due = models.DateTimeField()  # not before
    claimed = models.DateTimeField(null=True)  # by a worker that is sending it
    sent = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        # notify.outbox: what is due now
        indexes = [models.Index(fields=["outcome", "due"], name="delivery_due")]

    def __str__(self) -> str:
        return f"{self.event} to {self.user_id} by {self.channel}: {self.outcome}"
