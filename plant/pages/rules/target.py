"""What the editor edits: a rule of an asset or of a type, stored or new, and what may be chosen for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from alerts.checks import DEFAULTS
from alerts.models import AlarmClass, Position, Rule, TypeRule
from alerts.wiring import values_of
from devices.models import Asset, AssetType, Sensor, TypeSensor


@dataclass
class Target:
    """A rule with its owner; one that is new has no rule."""

    rule: Rule | TypeRule | None
    asset: Asset | None = None
    type: AssetType | None = None

    @classmethod
    def rule_of_asset(cls, pk: int) -> Target:
        """Gives a stored rule. Raises: Http404."""
        found = Rule.objects.select_related("asset__type", "origin__type").filter(pk=pk).first()
        if found is None:
            raise Http404(_("There is no rule %(number)s.") % {"number": pk})
        return cls(found, asset=found.asset)

    @classmethod
    def rule_of_type(cls, pk: int) -> Target:
        """Gives a stored rule of a type. Raises: Http404."""
        found = TypeRule.objects.select_related("type").filter(pk=pk).first()
        if found is None:
            raise Http404(_("There is no rule %(number)s.") % {"number": pk})
        return cls(found, type=found.type)

    @property
    def values(self) -> dict[str, Any]:
        """Gives the fields that it has before anybody types."""
        if self.rule is not None:
            return values_of(self.rule)
        return {**DEFAULTS, "inputs": {}, "suppress_when": []}

    @property
    def name(self) -> str:
        """Gives its name; nothing while it is new."""
        return self.rule.name if self.rule is not None else ""

    @property
    def named_by_type(self) -> bool:
        """Tells whether its name comes with the type and is changed there."""
        return isinstance(self.rule, Rule) and self.rule.origin_id is not None

    @cached_property
    def sensors(self) -> Sequence[Sensor | TypeSensor]:
        """Gives the sensors that it may read by their key. Cost: one query."""
        if self.asset is not None:
            return list(Sensor.objects.filter(asset=self.asset).select_related("asset").order_by("pk"))
        return list(TypeSensor.objects.filter(type=self.type).order_by("pk"))

    def sensor(self, key: str) -> Sensor | TypeSensor | None:
        """Gives one of them."""
        return next((one for one in self.sensors if one.key == key), None)

    @cached_property
    def others(self) -> list[str]:
        """Gives the names of its owner's other rules. Cost: one query."""
        own = self.rule.pk if self.rule is not None else None
        rules: Any = Rule.objects.filter(asset=self.asset) if self.asset else TypeRule.objects.filter(type=self.type)
        return list(rules.exclude(pk=own).order_by("name").values_list("name", flat=True))

    @cached_property
    def classes(self) -> list[tuple[str, str]]:
        """Gives the alarm classes, code and name. Cost: one query."""
        return list(AlarmClass.objects.values_list("code", "name"))

    @cached_property
    def positions(self) -> list[tuple[str, str]]:
        """Gives the operator positions, code and name. Cost: one query."""
        return list(Position.objects.values_list("code", "name"))

    @property
    def permission(self) -> str:
        """Gives what a person needs to save it."""
        verb = "add" if self.rule is None else "change"
        return f"alerts.{verb}_{'typerule' if self.type is not None else 'rule'}"

    def may_save(self, request: HttpRequest) -> bool:
        """Tells whether the person may save it."""
        return bool(request.user.has_perm(self.permission))

    def may_draft(self, request: HttpRequest) -> bool:
        """Tells whether the person may propose a change of it; what is new cannot be proposed."""
        return self.rule is not None and bool(request.user.has_perm("alerts.add_draftchange"))

    @property
    def owner_name(self) -> str:
        """Gives the name of the asset or type."""
        owner = self.asset or self.type
        return owner.name if owner is not None else ""

    @property
    def page(self) -> str:
        """Gives the address of the rule's own page, or of the list while it is new."""
        if self.rule is None:
            return reverse("rules")
        return reverse("rule" if isinstance(self.rule, Rule) else "type-rule", args=[self.rule.pk])
