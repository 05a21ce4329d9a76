"""What stands in the plant: assets, their types, sensors and data sources, and where their readings are kept."""

from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from tree_queries.models import TreeNode

from devices.records import History

code_validator = RegexValidator(r"\A[A-Za-z0-9_-]+\Z", _("Use letters, digits, - and _ only."), code="code")


class Level(models.TextChoices):
    """Levels of the equipment hierarchy, from the top down. Source: ISA-95 / IEC 62264; module from ISA-88."""

    ENTERPRISE = "enterprise", _("Enterprise")
    SITE = "site", _("Site")
    AREA = "area", _("Area")
    LINE = "line", _("Line")
    UNIT = "unit", _("Unit")
    MACHINE = "machine", _("Machine")
    MODULE = "module", _("Module")

    @property
    def rank(self) -> int:
        """Gives 0 for the enterprise to 6 for a module."""
        return list(Level).index(self)


class AssetType(models.Model):  # type: ignore[django-manager-missing]  # of Asset, whose base has no types
    """A kind of equipment; its sensors and rules come with every asset of the type."""

    code = models.CharField(_("code"), max_length=64, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    retention_days = models.PositiveIntegerField(
        _("history kept"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Days for which readings of these assets are kept; empty: the plant's setting."),
    )
    history = History()

    class Meta:
        ordering = ["code"]
        verbose_name = _("asset type")

    def __str__(self) -> str:
        return self.name


class Asset(TreeNode):  # type: ignore[misc]  # tree_queries has no types
    """A position in the plant: a site, an area, a line, a machine or a part of one."""

    code = models.CharField(_("code"), max_length=64, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    level = models.CharField(_("level"), max_length=12, choices=Level)
    type = models.ForeignKey(
        AssetType, models.PROTECT, null=True, blank=True, related_name="assets", verbose_name=_("type")
    )
    description = models.TextField(_("description"), blank=True)
    manufacturer = models.CharField(_("manufacturer"), max_length=120, blank=True)
    serial = models.CharField(_("serial number"), max_length=120, blank=True)
    installed = models.DateField(_("installed"), null=True, blank=True)
    attributes = models.JSONField(
        _("attributes"),
        default=dict,
        blank=True,
        help_text=_("What else is known of it, in words with values, for example Rated power: 250 kW."),
    )
    position = models.PositiveIntegerField(
        _("place"), default=0, help_text=_("Order among its neighbours on every page; it stays for years.")
    )
    # Where it stands on the map; both of a pair or neither.
    latitude = models.FloatField(
        _("latitude"),
        null=True,
        blank=True,
        help_text=_("Degrees north (WGS 84), for example 53.5512; south is negative."),
    )
    longitude = models.FloatField(
        _("longitude"),
        null=True,
        blank=True,
        help_text=_("Degrees east (WGS 84), for example 9.9937; west is negative."),
    )
    plan_x = models.FloatField(
        _("plan x"), null=True, blank=True, help_text=_("Metres to the right of the site plan's zero point.")
    )
    plan_y = models.FloatField(
        _("plan y"), null=True, blank=True, help_text=_("Metres up from the site plan's zero point.")
    )
    # Set by devices.services: a hash of the nearest machine above, so that a machine's readings stay in order.
    shard = models.PositiveSmallIntegerField(editable=False, default=0)
    history = History()

    class Meta:
        ordering = ["position", "code"]
        verbose_name = _("asset")

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Document(models.Model):
    """A paper about an asset: a link to where it lies, or a file that is kept here."""

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="documents", verbose_name=_("asset"))
    title = models.CharField(_("title"), max_length=160)
    url = models.URLField(_("link"), max_length=500, blank=True)
    file_name = models.CharField(_("file"), max_length=120, blank=True)
    size = models.PositiveIntegerField(_("size"), default=0)  # of the file, in bytes
    added = models.DateTimeField(_("added"), auto_now_add=True)
    history = History()

    class Meta:
        ordering = ["title", "id"]
        verbose_name = _("document")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(url="") ^ models.Q(file_name=""), name="document_is_a_link_or_a_file"
            )
        ]

    def __str__(self) -> str:
        return self.title


class DocumentFile(models.Model):
    """A document's content, apart from it so that lists do not read it; with the database it is backed up."""

    document = models.OneToOneField(Document, models.CASCADE, primary_key=True, related_name="content")
    data = models.BinaryField()

    class Meta:
        ordering = ["document_id"]

    def __str__(self) -> str:
        return f"file of document {self.document_id}"


class Measurement(models.Model):
    """What a sensor measures and how it is shown; shared by a type's sensors and an asset's own."""

    key = models.CharField(_("key"), max_length=64, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    quantity = models.CharField(
        _("quantity"),
        max_length=40,
        blank=True,
        help_text=_("What is measured, for example temperature; state for a machine's state."),
    )
    unit = models.CharField(
        _("unit"), max_length=20, blank=True, help_text=_("As in plant.yaml, for example degC, bar, m3/h, mm/s.")
    )
    range_low = models.FloatField(_("range from"), null=True, blank=True, help_text=_("In the sensor's unit."))
    range_high = models.FloatField(_("range to"), null=True, blank=True, help_text=_("In the sensor's unit."))
    normal_low = models.FloatField(
        _("normal from"), null=True, blank=True, help_text=_("Lower end of the normal band, in the sensor's unit.")
    )
    normal_high = models.FloatField(
        _("normal to"), null=True, blank=True, help_text=_("Upper end of the normal band, in the sensor's unit.")
    )
    interval = models.FloatField(
        _("interval"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.001)],
        help_text=_(
            "Expected seconds between two readings; empty: it reports when it likes and never counts as stale."
        ),
    )
    decimals = models.PositiveSmallIntegerField(
        _("decimals"), null=True, blank=True, help_text=_("Decimals shown; empty: by the span of the range.")
    )
    labels = models.JSONField(
        _("labels"),
        default=dict,
        blank=True,
        help_text=_('Words for a discrete sensor\'s values, for example {"0": "stopped", "1": "running"}.'),
    )

    class Meta:
        abstract = True

    @property
    def normal(self) -> tuple[float | None, float | None] | None:
        """Gives the normal band, of which one end may be open, or None where it has neither."""
        band = self.normal_low, self.normal_high
        return None if band == (None, None) else band


class TypeSensor(Measurement):
    """A sensor that every asset of a type gets."""

    type = models.ForeignKey(AssetType, models.CASCADE, related_name="sensors", verbose_name=_("asset type"))
    history = History()

    class Meta:
        ordering = ["id"]
        verbose_name = _("sensor of a type")
        constraints = [models.UniqueConstraint(fields=["type", "key"], name="type_sensor_key_once")]

    def __str__(self) -> str:
        return f"{self.type.code}: {self.key}"


class Sensor(Measurement):
    """A measuring point of one asset; its tag is `asset code/key`.

    A sensor that comes with the asset's type has `origin` set; `overrides` names the fields in which it differs.
    """

    id: int = models.AutoField(primary_key=True)  # type: ignore[assignment]  # 32 bits: a Batch's column
    asset = models.ForeignKey(Asset, models.CASCADE, related_name="sensors", verbose_name=_("asset"))
    origin = models.ForeignKey(
        TypeSensor, models.SET_NULL, null=True, blank=True, editable=False, related_name="copies"
    )
    overrides = models.JSONField(default=list, blank=True, editable=False)
    history = History()

    class Meta:
        ordering = ["asset_id", "id"]
        verbose_name = _("sensor")
        constraints = [models.UniqueConstraint(fields=["asset", "key"], name="sensor_key_once")]

    def __str__(self) -> str:
        return self.tag

    @property
    def tag(self) -> str:
        """Gives the sensor's name for senders and rules. Cost: one query unless the asset is loaded."""
        return f"{self.asset.code}/{self.key}"


class Source(models.Model):
    """A sender of readings, for example a gateway; it may write below its scope only."""

    name = models.CharField(_("name"), max_length=64, unique=True, validators=[code_validator])
    scope = models.ForeignKey(
        Asset,
        models.PROTECT,
        related_name="sources",
        verbose_name=_("scope"),
        help_text=_("It may send for this asset and all below it."),
    )
    token_hash = models.CharField(max_length=64, blank=True, editable=False, db_index=True)  # intake: token → source
    token_hint = models.CharField(_("token begins with"), max_length=12, blank=True, editable=False)
    enabled = models.BooleanField(_("may send"), default=True)
    silent_after = models.FloatField(
        _("silent after"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1.0)],
        help_text=_(
            "Seconds without a reading after which its sensors may be called silent; empty: 10. For one that sends "
            "in parcels, some three times the time between two. A sensor is never called silent before three of its "
            "intervals."
        ),
    )
    priority = models.PositiveSmallIntegerField(
        _("priority of its silence"),
        choices=[(1, _("Critical")), (2, _("High")), (3, _("Medium")), (4, _("Low"))],
        default=2,
        help_text=_("Of the alarm that is raised when nothing comes from it."),
    )
    created = models.DateTimeField(_("created"), auto_now_add=True)
    history = History(excluded_fields=["token_hash"])

    class Meta:
        ordering = ["name"]
        verbose_name = _("data source")

    def __str__(self) -> str:
        return self.name


class Revision(models.Model):
    """Counts changes of the plant model and of the rules, so that intake and workers know when to read them anew."""

    name = models.CharField(max_length=20, primary_key=True)  # "plant" or "rules"
    number = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class Route(models.Model):
    """Sends copies of a sensor's readings to a further shard, where a rule over several machines is at home."""

    sensor = models.ForeignKey(Sensor, models.CASCADE, related_name="routes")
    shard = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["sensor_id", "shard"]
        constraints = [models.UniqueConstraint(fields=["sensor", "shard"], name="route_once")]

    def __str__(self) -> str:
        return f"{self.sensor_id} → {self.shard}"


class Checkpoint(models.Model):
    """How far a shard's stream is done, and the state that belongs to that position."""

    shard = models.PositiveSmallIntegerField(primary_key=True)
    epoch = models.CharField(max_length=32, blank=True)
    position = models.CharField(max_length=40, default="0-0")
    # Counts the commits: the clock may fire twice at one position.
    turn = models.BigIntegerField(default=0)
    state = models.BinaryField(default=bytes)
    readings = models.BigIntegerField(default=0)  # accepted and done since the first start
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["shard"]

    def __str__(self) -> str:
        return f"shard {self.shard} at {self.epoch}:{self.position}"


class Segment(models.Model):
    """The readings of one drain, columnar, until they are folded into chunks."""

    shard = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()
    first_time = models.BigIntegerField()  # µs since the epoch
    last_time = models.BigIntegerField()
    sensors = models.BinaryField()  # index: which sensors, their spans and counts; format in devices/telemetry/codec.py
    data = models.BinaryField()

    class Meta:
        ordering = ["id"]
        # history.read: segments of a shard that touch a range; history.fold: a shard's oldest segments
        indexes = [models.Index(fields=["shard", "last_time"], name="segment_by_time")]

    def __str__(self) -> str:
        return f"segment {self.pk}: {self.count} readings"


class Chunk(models.Model):
    """A sensor's readings over one span, packed, with their figures beside them."""

    sensor = models.ForeignKey(Sensor, models.CASCADE, related_name="chunks", db_index=False, db_constraint=False)
    level = models.PositiveSmallIntegerField()  # 0 from segments, 1 of sixteen of those, 2 of sixteen of those
    start = models.BigIntegerField()  # µs since the epoch, of the first reading
    end = models.BigIntegerField()  # of the last
    count = models.PositiveIntegerField()
    good = models.PositiveIntegerField()  # readings that the figures are of
    minimum = models.FloatField(null=True)
    maximum = models.FloatField(null=True)
    total = models.FloatField(default=0.0)
    first = models.FloatField(null=True)
    last = models.FloatField(null=True)
    data = models.BinaryField()

    class Meta:
        ordering = ["sensor_id", "start"]
        # history.read: a sensor's chunks that touch a range, in order of time
        indexes = [
            models.Index(fields=["sensor", "end"], name="chunk_by_time"),
            # history.fold: a sensor's small chunks, which are few, among its many big ones
            models.Index(fields=["sensor", "level"], condition=models.Q(level__lt=2), name="chunk_small"),
        ]

    def __str__(self) -> str:
        return f"chunk {self.pk}: {self.count} readings of {self.sensor_id}"


class Annotation(models.Model):
    """What a person says about a time of an asset or of one of its sensors; drawn into the trends."""

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="annotations", verbose_name=_("asset"))
    sensor = models.ForeignKey(
        Sensor, models.CASCADE, null=True, blank=True, related_name="annotations", verbose_name=_("sensor")
    )
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("to"))  # the same as the start for an instant
    text = models.CharField(_("text"), max_length=500)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False)
    made = models.DateTimeField(auto_now_add=True)
    history = History()

    class Meta:
        ordering = ["start", "id"]
        verbose_name = _("annotation")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gte=models.F("start")), name="annotation_ends_not_before_start"
            )
        ]
        # annotating.between: an asset's that meet a range
        indexes = [models.Index(fields=["asset", "end"], name="annotation_by_asset")]

    def __str__(self) -> str:
        return f"annotation {self.pk} of {self.asset_id}: {self.text}"


def json_labels(value: Any) -> dict[str, str]:
    """Gives labels with text keys, as the database keeps them."""
    return {str(key): str(word) for key, word in dict(value or {}).items()}
