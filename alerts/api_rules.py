"""Rules over HTTP: with all their fields as plant.yaml names them, their changes, and their rationalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from ninja.errors import AuthorizationError, HttpError
from pydantic import BaseModel, ConfigDict, Field

from alerts import changes, rationalisation, rules
from alerts.checks import DEFAULTS
from alerts.configuration import RulesSection
from alerts.models import AlarmClass, Position, Priority, Rule, TypeRule
from alerts.queries import iso
from alerts.staffing import pairs_of
from devices.configuration.fields import suggestion
from devices.models import Asset
from devices.records import LONGEST_REASON

router = Router()

_PAGE: int = Query(200, ge=1, le=1000)  # type: ignore[type-arg]  # an alias for the type checker
# A rule's keys as in plant.yaml, with the fields that they stand for.
_KEYS = {field.key: field.models[0] for field in RulesSection.fields}
_WORDS = {field: key for key, field in _KEYS.items()}


class RuleFields(BaseModel):
    """Fields of a rule as plant.yaml names them, and why they change."""

    model_config = ConfigDict(extra="allow")
    reason: str = Field("", max_length=LONGEST_REASON)

    def values(self) -> dict[str, Any]:
        """Gives them by the model's names. Raises: HttpError 422 for a key that a rule does not have."""
        given = dict(self.model_extra or {})
        for key in given:
            if key not in _KEYS:
                raise HttpError(422, f"A rule has no {key!r}{suggestion(key, _KEYS)}")
        return {_KEYS[key]: value for key, value in given.items()}


class Reason(Schema):
    """Why a change is taken back; empty: words that name the change."""

    reason: str = Field("", max_length=LONGEST_REASON)


def rule_json(rule: Rule | TypeRule) -> dict[str, Any]:
    """Gives a rule with all its fields. Cost: no query where its asset and origin, or its type, are loaded."""
    values = {key: getattr(rule, field) for key, field in _KEYS.items()}
    values["priority"] = Priority(rule.priority).name.lower()
    if isinstance(rule, TypeRule):
        return {"type": rule.type.code, "name": rule.name, **values}
    return {
        "asset": rule.asset.code,
        "name": rule.name,
        **values,
        "version": rule.version,
        "from_type": rule.origin_id is not None,
        "overrides": [_WORDS.get(field, field) for field in rule.overrides],
    }


def _rules() -> Any:
    return Rule.objects.select_related("asset", "origin", "asset__type")


def _rule(asset: str, name: str) -> Rule:
    """Gives a rule. Raises: Http404."""
    found: Rule | None = _rules().filter(asset__code=asset, name=name).first()
    if found is None:
        raise Http404(f"{asset} has no rule {name!r}.")
    return found


def _type_rule(kind: str, name: str) -> TypeRule:
    found = TypeRule.objects.select_related("type").filter(type__code=kind, name=name).first()
    if found is None:
        raise Http404(f"The type {kind} has no rule {name!r}.")
    return found


def _may(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(f"alerts.{permission}"):
        raise AuthorizationError


def _refused(error: ValidationError) -> HttpError:
    return HttpError(422, " ".join(error.messages))


@router.get("/rules", summary="List rules")
def list_rules(
    request: HttpRequest, asset: str | None = None, cursor: int | None = None, limit: int = _PAGE
) -> dict[str, Any]:
    """Rules of all assets, or of one and all below it, with all their fields."""
    found = _rules().order_by("pk")
    if asset is not None:
        found = found.filter(asset__in=_below(asset))
    if cursor is not None:
        found = found.filter(pk__gt=cursor)
    rows = list(found[: limit + 1])
    return {
        "items": [rule_json(rule) for rule in rows[:limit]],
        "next": rows[limit - 1].pk if len(rows) > limit else None,
    }


def _below(code: str) -> Any:
    root = Asset.objects.filter(code=code).first()
    if root is None:
        raise Http404(f"There is no asset {code}.")
    return root.descendants(include_self=True)


@router.get("/rules/{asset}/{path:name}", summary="One rule of an asset")
def get_rule(request: HttpRequest, asset: str, name: str) -> dict[str, Any]:
    """The rule with all its fields, those that its type hands down too."""
    return rule_json(_rule(asset, name))


@router.patch("/rules/{asset}/{path:name}", summary="Change a rule of an asset")
def patch_rule(request: HttpRequest, asset: str, name: str, body: RuleFields) -> dict[str, Any]:
    """Changes the fields that are named. One that comes with the type is overridden where it differs.

    A `reason` is needed where limits, delays, priority, suppression or its being in force change.
    """
    _may(request, "change_rule")
    return _changed(_rule(asset, name), body.values(), body.reason)


@router.put("/rules/{asset}/{path:name}", summary="Write a rule of an asset completely")
def put_rule(request: HttpRequest, asset: str, name: str, body: RuleFields) -> dict[str, Any]:
    """Makes the rule, or gives it these fields; a field that is left out has its default."""
    values = {**DEFAULTS, "inputs": {}, "suppress_when": [], **body.values()}
    found = _rules().filter(asset__code=asset, name=name).first()
    if found is not None:
        _may(request, "change_rule")
        return _changed(found, values, body.reason)
    _may(request, "add_rule")
    owner = Asset.objects.filter(code=asset).first()
    if owner is None:
        raise Http404(f"There is no asset {asset}.")
    try:
        rules.create_rule(asset=owner, name=name, reason=body.reason, **{"kind": "", **values})
    except ValidationError as error:
        raise _refused(error) from error
    return rule_json(_rule(asset, name))


def _changed(rule: Rule, values: Mapping[str, Any], reason: str) -> dict[str, Any]:
    try:
        rules.update_rule(rule=rule, reason=reason, **values)
    except ValidationError as error:
        raise _refused(error) from error
    return rule_json(_rule(rule.asset.code, rule.name))


@router.get("/type-rules/{type}/{path:name}", summary="One rule of a type")
def get_type_rule(request: HttpRequest, type: str, name: str) -> dict[str, Any]:
    """The rule as every asset of the type gets it."""
    return rule_json(_type_rule(type, name))


@router.patch("/type-rules/{type}/{path:name}", summary="Change a rule of a type")
def patch_type_rule(request: HttpRequest, type: str, name: str, body: RuleFields) -> dict[str, Any]:
    """Changes the fields that are named, and with them every asset of the type that does not override them."""
    _may(request, "change_typerule")
    try:
        rules.update_type_rule(rule=_type_rule(type, name), reason=body.reason, **body.values())
    except ValidationError as error:
        raise _refused(error) from error
    return rule_json(_type_rule(type, name))


@router.get("/alarm-classes", summary="Alarm classes")
def list_classes(request: HttpRequest) -> dict[str, Any]:
    """The classes that rules may name."""
    rows = AlarmClass.objects.values("code", "name", "description", "shelvable", "longest_shelving")
    return {"items": list(rows), "next": None}


@router.get("/positions", summary="Operator positions")
def list_positions(request: HttpRequest) -> dict[str, Any]:
    """The positions that rules may name, with their part of the plant and their staffed hours; null is always."""
    return {
        "items": [
            {
                "code": row.code,
                "name": row.name,
                "scope": row.scope.code if row.scope else None,
                "staffed": None if row.staffed is None else pairs_of(row.staffed),
            }
            for row in Position.objects.select_related("scope")
        ],
        "next": None,
    }


# --- Changes -------------------------------------------------------------------------------------------------------


def _owned(asset: str | None, type: str | None, rule: str) -> Rule | TypeRule:
    if (asset is None) == (type is None):
        raise HttpError(422, "Name the asset or the type that has the rule.")
    return _rule(asset, rule) if asset is not None else _type_rule(type or "", rule)


def _changes_json(rule: Rule | TypeRule) -> dict[str, Any]:
    return {
        "items": [
            {
                "id": one.number,
                "time": iso(one.time),
                "who": one.who,
                "reason": one.why,
                "kind": {"+": "made", "~": "changed", "-": "taken away"}[one.kind],
                "fields": {
                    _WORDS.get(part.field, part.field): {"old": part.old, "new": part.new} for part in one.fields
                },
                "returnable": one.returnable,
            }
            for one in changes.changes_of(rule)
        ],
        "next": None,
    }


@router.get("/changes", summary="What was changed of a rule")
def get_changes(request: HttpRequest, rule: str, asset: str | None = None, type: str | None = None) -> dict[str, Any]:
    """Who changed what, when and why, with old and new values, the newest first."""
    return _changes_json(_owned(asset, type, rule))


@router.post("/changes/{int:number}/take-back", summary="Take a change of a rule back")
def take_back(
    request: HttpRequest,
    number: int,
    rule: str,
    body: Reason | None = None,
    asset: str | None = None,
    type: str | None = None,
) -> dict[str, Any]:
    """Gives the change's fields their old values again: a change of its own, with a reason."""
    _may(request, "change_rule" if asset is not None else "change_typerule")
    found = _owned(asset, type, rule)
    try:
        changes.take_back(rule=found, number=number, reason=body.reason if body else "")
    except ValidationError as error:
        raise _refused(error) from error
    return _changes_json(found)


# --- Rationalisation -----------------------------------------------------------------------------------------------


@router.get("/rationalisation", summary="Rules that are not thought through")
def get_rationalisation(
    request: HttpRequest,
    asset: str | None = None,
    show: Literal["open", "incomplete", "differing", "all"] = "open",
    cursor: int = Query(0, ge=0),  # type: ignore[type-arg]
    limit: int = _PAGE,
) -> dict[str, Any]:
    """Rules in force of high and critical priority without cause, consequence, action, time to respond, class or
    position; rules whose priority is not the one that severity and time to respond suggest; and how many of each.
    """
    tally = rationalisation.Tally()
    found = []
    for entry in rationalisation.review(None if asset is None else _below(asset).values_list("pk", flat=True)):
        tally.count(entry)
        if show == "all" or (show != "differing" and entry.missing) or (show != "incomplete" and entry.differs):
            found.append(entry)
    return {
        "counts": {
            "rules": tally.rules,
            "urgent": tally.urgent,
            "incomplete": tally.incomplete,
            "differing": tally.differing,
        },
        "items": [
            {
                "asset": entry.asset_code,
                "rule": entry.name,
                "priority": Priority(entry.priority).name.lower(),
                "missing": list(entry.missing),
                "suggested_priority": rationalisation.word(entry.suggested),
                "differs": entry.differs,
            }
            for entry in found[cursor : cursor + limit]
        ],
        "next": cursor + limit if len(found) > cursor + limit else None,
    }
