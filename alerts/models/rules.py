"""Rules, what they are ordered by, and why their alarms may not be presented."""

from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.models import Asset, AssetType, Sensor, code_validator
from devices.records import LONGEST_REASON, History


def _history() -> History:
    """Gives a model's history, with room for a whole sentence of why."""
    return History(history_change_reason_field=models.CharField(max_length=LONGEST_REASON, null=True))


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


class Severity(models.TextChoices):
    """How bad it becomes if nobody acts. Source: ISA-18.2 practice of rationalisation."""

    MINOR = "minor", _("Minor")
    MAJOR = "major", _("Major")
    SEVERE = "severe", _("Severe")


class AlarmClass(models.Model):
    """A kind of alarms that are looked after in the same way, for example safety or environment."""

    code = models.CharField(_("code"), max_length=64, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    shelvable = models.BooleanField(_("may be shelved"), default=True)
    longest_shelving = models.FloatField(
        _("shelved at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(60.0)],
        help_text=_("Seconds; empty: as the priority says."),
    )
    history = _history()

    class Meta:
        ordering = ["code"]
        verbose_name = _("alarm class")
        verbose_name_plural = _("alarm classes")

    def __str__(self) -> str:
        return self.name


class Position(models.Model):
    """An operator position: a seat from which a part of the plant is watched; figures are counted by it."""

    code = models.CharField(_("code"), max_length=64, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    scope = models.ForeignKey(
        Asset,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="positions",
        verbose_name=_("scope"),
        help_text=_("The asset that is watched, with all below it; the nearest one counts. Empty: the whole plant."),
    )
    # Seven lists, Monday first, of [from, to] in minutes of the plant's day. Null: always.
    staffed = models.JSONField(_("staffed hours"), null=True, blank=True)
    history = _history()

    class Meta:
        ordering = ["code"]
        verbose_name = _("operator position")

    def __str__(self) -> str:
        return self.name


class PairsInOrder(models.JSONField):
    """Keys with values that keep their order, which PostgreSQL's JSON does not: kept as a list of pairs.

    A mapping stored by an older Andon is read as well. To migrations it is a JSONField, as its column is.
    """

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Gives it as the JSONField that migrations know."""
        name, _path, words, values = super().deconstruct()
        return name, "django.db.models.JSONField", words, values

    def get_prep_value(self, value: Any) -> Any:
        """Gives the pairs."""
        return [list(pair) for pair in value.items()] if isinstance(value, dict) else super().get_prep_value(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Gives the mapping."""
        found = super().from_db_value(value, expression, connection)
        return dict(found) if isinstance(found, list) else found


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
    inputs = PairsInOrder(
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
    alarm_class = models.CharField(_("class"), max_length=64, blank=True, help_text=_("Code of an alarm class."))
    position = models.CharField(
        _("operator position"),
        max_length=64,
        blank=True,
        help_text=_("Code of the position that answers it; empty: the one in whose part of the plant it lies."),
    )
    ack_required = models.BooleanField(_("needs acknowledgement"), default=True)
    latching = models.BooleanField(_("latching"), default=False, help_text=_("Stays until it is reset by hand."))
    realarm = models.FloatField(
        _("re-alarm after"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1.0)],
        help_text=_("Seconds after which one that still stands is announced anew."),
    )
    group = models.CharField(
        _("first-out group"),
        max_length=140,
        blank=True,
        help_text=_("The first of a group to be raised is marked. A name of the asset's own, or ASSET/NAME."),
    )
    hides = models.CharField(
        _("hides"),
        max_length=120,
        blank=True,
        help_text=_("Another rule of the asset, of lower rank, that is not presented while this one stands."),
    )
    # Of {"sensor": key or tag, "equals": [numbers]} and {"alarm": rule of the asset, or "asset/rule"}; any suffices.
    suppress_when = models.JSONField(_("suppressed while"), default=list, blank=True)
    shelvable = models.BooleanField(_("may be shelved"), default=True)
    longest_shelving = models.FloatField(
        _("shelved at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(60.0)],
        help_text=_("Seconds; empty: as the class or the priority says."),
    )
    cause = models.TextField(_("likely cause"), blank=True)
    consequence = models.TextField(_("if nobody acts"), blank=True)
    action = models.TextField(_("what to do"), blank=True)
    confirmation = models.TextField(_("how to make sure"), blank=True)
    time_to_respond = models.FloatField(_("time to respond"), null=True, blank=True, help_text=_("Seconds."))
    severity = models.CharField(_("severity of the consequence"), max_length=6, choices=Severity, blank=True)
    enabled = models.BooleanField(_("in force"), default=True)

    class Meta:
        abstract = True


class TypeRule(Condition):
    """A rule that every asset of a type gets."""

    type = models.ForeignKey(AssetType, models.CASCADE, related_name="rules", verbose_name=_("asset type"))
    history = _history()

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
    history = _history()

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


class Suppressor(models.Model):
    """What suppresses a rule's alarms by design: a sensor's state, or another rule's alarm that stands.

    It follows from `suppress_when` and from the `hides` of other rules, and is worked out with every change of them.
    """

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="suppressors")
    by = models.ForeignKey(Rule, models.CASCADE, null=True, related_name="suppresses")
    hides = models.BooleanField(default=False)  # `by` names the rule as the lower one
    sensor = models.ForeignKey(Sensor, models.CASCADE, null=True, related_name="suppresses")
    equals = models.JSONField(default=list)  # the sensor's values, any of which suppresses
    words = models.CharField(max_length=300)  # what holds, as Suppression.designed names it

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "words"], name="suppressor_named_once"),
            models.CheckConstraint(
                condition=models.Q(by__isnull=True) ^ models.Q(sensor__isnull=True), name="suppressor_is_alarm_or_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.words}"


class Suppression(models.Model):
    """Why a rule's alarms are not presented now. It outlives an occurrence: one raised meanwhile is hidden too."""

    rule = models.OneToOneField(Rule, models.CASCADE, related_name="suppression")
    switches = models.JSONField(default=list)  # of shelved, by_design, out_of_service
    shelved_until = models.DateTimeField(null=True)
    one_shot = models.BooleanField(default=False)  # ends with the present, else the next active period
    shelved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    shelved_at = models.DateTimeField(null=True)
    shelve_reason = models.CharField(max_length=300, blank=True)
    # What holds of the rule's `suppress_when` and of what hides it, each in words that name it once.
    designed = models.JSONField(default=list)
    designed_at = models.DateTimeField(null=True)
    out_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    out_at = models.DateTimeField(null=True)
    out_reason = models.CharField(max_length=300, blank=True)
    work_order = models.CharField(max_length=64, blank=True)
    review = models.DateField(null=True)
    version = models.PositiveIntegerField(default=0)  # of this row: compare-and-set

    class Meta:
        ordering = ["rule_id"]
        indexes = [
            # alerts.tasks: whose shelving runs out; one without an end is over
            models.Index(
                fields=["shelved_until"], condition=models.Q(shelved_at__isnull=False), name="suppression_shelved"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}: {', '.join(self.switches) or 'presented'}"
