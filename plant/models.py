"""The project's own records: tokens, one-time links, synoptics, filters that people keep, the map's ground."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from devices.models import Asset, code_validator
from devices.records import LONGEST_REASON, History


class PersonalToken(models.Model):
    """A person's token for the API, kept as a hash."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    token_hash = models.CharField(max_length=64, unique=True)
    token_hint = models.CharField(max_length=12)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.token_hint}… of {self.user_id}"


class SignInLink(models.Model):
    """A one-time link that signs a person in, kept as a hash."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"link for {self.user_id} until {self.expires}"


class Synoptic(models.Model):
    """A drawing of a part of the plant whose elements follow sensors, alarms and assets; its versions are kept."""

    code = models.CharField(_("code"), max_length=64, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    asset = models.ForeignKey(
        Asset, models.CASCADE, related_name="synoptics", verbose_name=_("shows"), help_text=_("The part of the plant.")
    )
    drawing = models.TextField(_("drawing"), editable=False)  # SVG that plant.synoptic.cleaning has written
    original = models.CharField(_("file"), max_length=64, blank=True, editable=False)  # its SHA-256
    remarks = models.JSONField(default=list, blank=True, editable=False)  # [line, words] about the file
    history = History(history_change_reason_field=models.CharField(max_length=LONGEST_REASON, null=True))

    class Meta:
        ordering = ["code"]
        verbose_name = _("synoptic")
        verbose_name_plural = _("synoptics")

    def __str__(self) -> str:
        return self.name


class SavedFilter(models.Model):
    """What a person narrows the list of alarms to again and again, under a name of their own."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=600)  # of the list's address, as plant.pages.alarms.filters writes it

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_saved_filter_of_a_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"

    @property
    def address(self) -> str:
        """Gives the address of the list that it stands for."""
        return f"{reverse('alarms')}?{self.query}"


class MapLayer(models.Model):
    """What the map draws below the assets: outlines of the site, or a picture of it with its corners."""

    class Kind(models.TextChoices):
        """What it is made of."""

        OUTLINES = "outlines", _("Outlines (GeoJSON)")
        PICTURE = "picture", _("Picture")

    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    # Where it lies: degrees, or metres of the site plan.
    metres = models.BooleanField(_("on the site plan"), default=False)
    west = models.FloatField(_("west"))
    south = models.FloatField(_("south"))
    east = models.FloatField(_("east"))
    north = models.FloatField(_("north"))
    content = models.BinaryField()  # as it was checked and written anew, never as it came
    media_type = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)  # SHA-256 of the content; part of its address
    facts = models.JSONField(default=dict)  # shapes and points, or width and height
    uploaded = models.DateTimeField(_("uploaded"), auto_now_add=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    history = HistoricalRecords(excluded_fields=["content"])

    class Meta:
        ordering = ["id"]
        verbose_name = _("map layer")

    def __str__(self) -> str:
        return self.name


class SitePlan(models.Model):
    """Where the site plan's zero point lies on the earth, and which way the plan is turned; one row."""

    ONLY = 1  # its number

    latitude = models.FloatField(_("latitude"), help_text=_("Degrees north (WGS 84) of the plan's zero point."))
    longitude = models.FloatField(_("longitude"), help_text=_("Degrees east (WGS 84) of the plan's zero point."))
    bearing = models.FloatField(
        _("bearing"), default=0.0, help_text=_("Degrees from north, clockwise, in which the plan's upper edge points.")
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]
        verbose_name = _("site plan")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_site_plan")]

    def __str__(self) -> str:
        return f"{self.latitude}, {self.longitude}, {self.bearing}°"
