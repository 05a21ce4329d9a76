"""Who is called: teams, rotas, plans, routes, what holds them back, and the calls that are under way."""

import secrets
from datetime import time
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from alerts.models.alarms import Alarm
from alerts.models.rules import Priority
from devices.models import Asset, code_validator

_WEEK = _("Seven lists, Monday first, of [from, to] in minutes of the day; empty: always.")


def secret() -> str:
    """Gives a secret for an address that nobody can guess."""
    return secrets.token_urlsafe(24)


def week_validator(value: Any) -> None:
    """Refuses what are no weekly hours. Raises: ValidationError."""
    days = value if isinstance(value, list) and len(value) == 7 else [None]
    spans = [span for day in days for span in (day if isinstance(day, list) else [None])]
    if not all(_is_span(span) for span in spans):
        raise ValidationError(
            _("Expected seven lists, Monday first, of [from, to] in minutes of the day, such as [[360, 840]].")
        )


def _is_span(span: Any) -> bool:
    whole = isinstance(span, list) and len(span) == 2 and all(type(part) is int for part in span)
    return whole and 0 <= span[0] < span[1] <= 1440


def turns_validator(value: Any) -> None:
    """Refuses what are no turns of whole days. Raises: ValidationError."""
    if not isinstance(value, list) or not all(type(days) is int and 1 <= days <= 366 for days in value):
        raise ValidationError(_("Expected a list of whole days, such as [7] or [2, 2, 3]."))


class Team(models.Model):
    """People who are called together."""

    code = models.CharField(_("code"), max_length=64, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    members: models.ManyToManyField = models.ManyToManyField(  # type: ignore[type-arg]
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams", verbose_name=_("members")
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("team")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """Somebody's place in a team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["team_id", "id"]
        verbose_name = _("member")
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.team_id}"


class Rota(models.Model):
    """People who take turns at a duty."""

    code = models.CharField(_("code"), max_length=64, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, help_text=_("Empty: the plant's."))
    # Part of the address under which calendar programs read it.
    calendar_key = models.CharField(max_length=64, unique=True, default=secret, editable=False)
    # Since when a call has found nobody on duty; an alarm of Andon itself says so until somebody is.
    uncovered_since = models.DateTimeField(null=True, editable=False)
    history = HistoricalRecords(excluded_fields=["calendar_key", "uncovered_since"])

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("rota")

    def __str__(self) -> str:
        return self.name


class RotaLayer(models.Model):
    """People who hand over to each other after turns of whole days. The first layer that covers an instant has it."""

    rota = models.ForeignKey(Rota, models.CASCADE, related_name="layers")
    order = models.PositiveSmallIntegerField(_("order"), default=1, help_text=_("The first that covers has the duty."))
    name = models.CharField(_("name"), max_length=60)
    people: models.ManyToManyField = models.ManyToManyField(  # type: ignore[type-arg]
        settings.AUTH_USER_MODEL, through="RotaTurn", related_name="+", verbose_name=_("people")
    )
    first = models.DateField(_("first day"), help_text=_("The first person's first turn begins on it."))
    handover = models.TimeField(_("handover"), default=time(6), help_text=_("By the rota's clock."))
    turns = models.JSONField(
        _("days of a turn"),
        default=list,
        blank=True,
        validators=[turns_validator],
        help_text=_("Repeats: [7] hands over every week, [1] every day, [2, 2, 3] by that pattern. Empty: a week."),
    )
    hours = models.JSONField(_("weekly hours"), null=True, blank=True, validators=[week_validator], help_text=_WEEK)
    until = models.DateField(
        _("until"), null=True, blank=True, help_text=_("The first day on which it serves no more.")
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["rota_id", "order", "id"]
        verbose_name = _("layer")

    def __str__(self) -> str:
        return f"{self.rota_id}: {self.name}"


class RotaTurn(models.Model):
    """Somebody's place in the order of a layer; a person may stand in it more than once."""

    layer = models.ForeignKey(RotaLayer, models.CASCADE, related_name="people_in_turn")
    place = models.PositiveSmallIntegerField(_("place"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    history = HistoricalRecords()

    class Meta:
        ordering = ["layer_id", "place", "id"]
        verbose_name = _("person in turn")
        verbose_name_plural = _("people in turn")

    def __str__(self) -> str:
        return f"{self.layer_id}[{self.place}] = {self.user_id}"


class RotaOverride(models.Model):
    """Somebody who takes a duty for a while; the later made goes first."""

    rota = models.ForeignKey(Rota, models.CASCADE, related_name="overrides")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("to"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False)
    made = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["rota_id", "id"]
        verbose_name = _("override")
        constraints = [
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="override_ends_after_start")
        ]
        # calling.directory: those that meet a range
        indexes = [models.Index(fields=["rota", "end"], name="override_by_end")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.rota_id}"


class Holiday(models.Model):
    """A day that counts as a Sunday in the weekly hours of a rota, or of all rotas."""

    rota = models.ForeignKey(
        Rota, models.CASCADE, null=True, blank=True, related_name="holidays", help_text=_("Empty: all rotas.")
    )
    day = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=80)
    history = HistoricalRecords()

    class Meta:
        ordering = ["day", "id"]
        verbose_name = _("holiday")

    def __str__(self) -> str:
        return f"{self.day}: {self.name}"


class CallPlan(models.Model):
    """Whom an alarm calls, step after step, until somebody acknowledges it."""

    code = models.CharField(_("code"), max_length=64, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=120)
    repeat = models.PositiveSmallIntegerField(
        _("repeat"), default=0, validators=[MaxValueValidator(9)], help_text=_("How often it begins again.")
    )
    repeat_after = models.FloatField(
        _("repeat after"),
        default=1800.0,
        validators=[MinValueValidator(60.0)],
        help_text=_("Seconds from the last step to the next round."),
    )
    stops_on_return = models.BooleanField(
        _("stops when it returns to normal"), default=False, help_text=_("Also where nobody has acknowledged it.")
    )
    fallback = models.ForeignKey(
        Team,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("where nobody is on call"),
        help_text=_("This team is called instead."),
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("call plan")

    def __str__(self) -> str:
        return self.name


class CallStep(models.Model):
    """One step of a plan."""

    class Whom(models.TextChoices):
        """Whom it calls."""

        PERSON = "person", _("A person")
        ROTA = "rota", _("Who is on call")
        TEAM = "team", _("A team")
        EVERYBODY = "everybody", _("Everybody who may acknowledge")

    plan = models.ForeignKey(CallPlan, models.CASCADE, related_name="steps")
    place = models.PositiveSmallIntegerField(_("place"), default=1)
    wait = models.FloatField(
        _("wait"), default=0.0, validators=[MinValueValidator(0.0)], help_text=_("Seconds after the step before.")
    )
    whom = models.CharField(_("calls"), max_length=9, choices=Whom, default=Whom.ROTA)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    rota = models.ForeignKey(Rota, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("rota"))
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("team"))
    lowest_priority = models.PositiveSmallIntegerField(
        _("lowest priority"), choices=Priority, default=Priority.LOW, help_text=_("Of lower alarms it calls nobody.")
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["plan_id", "place", "id"]
        verbose_name = _("step")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(whom="person", person__isnull=False, rota=None, team=None)
                | models.Q(whom="rota", rota__isnull=False, person=None, team=None)
                | models.Q(whom="team", team__isnull=False, person=None, rota=None)
                | models.Q(whom="everybody", person=None, rota=None, team=None),
                name="call_step_names_whom_it_calls",
                violation_error_message=_("Name the person, the rota or the team that the step calls, and only that."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}[{self.place}]: {self.whom}"


class CallRoute(models.Model):
    """Leads alarms to a plan. The most specific that meets an alarm has it: see alerts.calling.plan.in_order."""

    plan = models.ForeignKey(CallPlan, models.CASCADE, related_name="routes", verbose_name=_("plan"))
    asset = models.ForeignKey(
        Asset,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asset"),
        help_text=_("With all below it; empty: the whole plant."),
    )
    highest_priority = models.PositiveSmallIntegerField(_("from priority"), choices=Priority, default=Priority.CRITICAL)
    lowest_priority = models.PositiveSmallIntegerField(_("to priority"), choices=Priority, default=Priority.HIGH)
    alarm_class = models.CharField(_("class"), max_length=64, blank=True, help_text=_("Code; empty: any."))
    hours = models.JSONField(_("weekly hours"), null=True, blank=True, validators=[week_validator], help_text=_WEEK)
    order = models.PositiveSmallIntegerField(_("order"), default=1, help_text=_("Among those equally specific."))
    enabled = models.BooleanField(_("on"), default=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["order", "id"]
        verbose_name = _("call route")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lowest_priority__gte=models.F("highest_priority")),
                name="call_route_priorities_in_order",
                violation_error_message=_("The first priority is higher than the last, or the same."),
            )
        ]

    def __str__(self) -> str:
        return f"route {self.pk} to {self.plan_id}"


class MaintenanceWindow(models.Model):
    """A time in which nobody is told of the alarms of an asset and all below it; they are judged all the same."""

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="+", verbose_name=_("asset"))
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("to"))
    reason = models.CharField(_("reason"), max_length=200)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False)
    made = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-start", "-id"]
        verbose_name = _("maintenance window")
        constraints = [
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="window_ends_after_start")
        ]
        # calling.directory: those that meet a moment
        indexes = [models.Index(fields=["end"], name="window_by_end")]

    def __str__(self) -> str:
        return f"{self.asset_id}: {self.reason}"


class Call(models.Model):
    """The plan of one alarm as it was when the alarm was raised, and how far it has come."""

    alarm = models.OneToOneField(Alarm, models.CASCADE, related_name="call")
    plan = models.JSONField()  # alerts.calling.plan.Plan
    run = models.PositiveSmallIntegerField(default=1)  # one more with each time the alarm is presented anew
    started = models.DateTimeField()  # of this run; later where maintenance held it back
    place = models.PositiveIntegerField(default=0)  # of the step to come, over all rounds
    due = models.DateTimeField(null=True)  # of the step to come; null: none
    stopped = models.CharField(max_length=200, blank=True)  # why none is to come
    journal_id = models.BigIntegerField(null=True)  # of the row that began this run
    nobody = models.JSONField(default=dict)  # steps of this run that had nobody to call, as run.round.step: why
    audited = models.PositiveIntegerField(default=0)  # the steps before this place have proved messages

    class Meta:
        ordering = ["id"]
        indexes = [
            # notify.auditor: what was taken and is not proved
            models.Index(fields=["id"], condition=models.Q(place__gt=models.F("audited")), name="call_unproved"),
            # alerts.tasks: whose next step is due
            models.Index(fields=["due"], condition=models.Q(due__isnull=False), name="call_due"),
        ]

    def __str__(self) -> str:
        return f"call of alarm {self.alarm_id}: step {self.place}"
