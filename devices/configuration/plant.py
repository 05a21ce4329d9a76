"""A whole configuration in memory: what a file says, what the database holds, and the one laid over the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from devices.changes import SENSORS
from devices.checks import LOCATION, Problem, check_code, check_measurement
from devices.configuration.document import Error
from devices.configuration.fields import Band, Choice, Day, Field, Flag, Number, Pairs, Point, Unit
from devices.inheritance import Line
from devices.models import Level


@dataclass
class Item:
    """One entry: its model values as far as they are given, and where it stands. Line 0: in the database only."""

    name: str
    given: dict[str, Any]
    line: int = 0
    lines: dict[str, int] = field(default_factory=dict)  # of its keys
    misread: set[str] = field(default_factory=set)  # model fields whose value had the wrong form: reported already
    # A copy's whole row in the database, for the day on which its type no longer hands it down.
    stored: dict[str, Any] | None = None

    def errors(self, part: Sequence[Field], problems: Iterable[Problem], what: str) -> list[Error]:
        """Gives problems as errors with their lines, but for those of fields that could not be read."""
        return [
            Error(self.at(part, problem.field), f"{what}: {problem.words}")
            for problem in problems
            if problem.field not in self.misread
        ]

    def at(self, part: Sequence[Field], model: str) -> int:
        """Gives the line of a model field, else the entry's own."""
        keys = (entry.key for entry in part if model in entry.models)
        return next((self.lines[key] for key in keys if key in self.lines), self.line)


@dataclass
class Owner(Item):
    """A type or an asset, with its sensors and whatever else the sections add."""

    parts: dict[str, dict[str, Item]] = field(default_factory=dict)


@dataclass
class Plant:
    """Types and assets by code, sources by name."""

    types: dict[str, Owner] = field(default_factory=dict)
    assets: dict[str, Owner] = field(default_factory=dict)
    sources: dict[str, Item] = field(default_factory=dict)
    lists: dict[str, dict[str, Item]] = field(default_factory=dict)  # of the listings, by their keys

    def effective(self, part: "Part", owner: Owner) -> dict[str, dict[str, Any]]:
        """Gives a type's or asset's parts with all their values: its own over its type's over the defaults."""
        above = self.types.get(owner.given.get("type") or "")
        inherited = above.parts.get(part.key, {}) if above else {}
        found = {name: _named(name, {**part.defaults, **item.given}) for name, item in inherited.items()}
        for name, item in owner.parts.get(part.key, {}).items():
            if name not in found and item.stored is not None:
                found[name] = item.stored
            else:
                found[name] = _named(name, {**found.get(name, part.defaults), **item.given})
        return found


def _named(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """Gives an entry the name that it is known by where it has no better one."""
    if values.get("name") == "":
        values["name"] = name
    return values


def values_of(owner: Item, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Gives all values of a type, an asset or a source."""
    return _named(owner.name, {**defaults, **owner.given})


class Part(Protocol):
    """What stands as a list below types and assets: sensors here, rules in a section of alerts."""

    key: str  # in plant.yaml
    identity: str  # the key of an entry by which it is known
    fields: Sequence[Field]
    defaults: Mapping[str, Any]
    line: Line  # how it is handed down in the database
    revision: str  # what is bumped when it changes
    explained: frozenset[str]  # fields of which a change needs a reason

    def check_name(self, name: str) -> str:
        """Gives what is wrong with an entry's identity, or nothing."""

    def check(self, plant: Plant) -> list[Error]:
        """Gives what is wrong with all entries of the part."""


class Listing(Protocol):
    """What stands as a list of its own beside assets, each entry known by its code: alarm classes, for one."""

    key: str  # in plant.yaml; also the mark of a change
    what: str  # one of it, in words
    model: Any
    fields: Sequence[Field]
    defaults: Mapping[str, Any]
    links: tuple[str, ...]  # fields that hold an asset's code here, and the asset in the database
    revision: str  # what is bumped when it changes

    def check(self, plant: Plant) -> list[Error]:
        """Gives what is wrong with all entries of the list."""


ASSET_TYPE_FIELDS = (
    Field("name"),
    Field("description"),
    Number("retention_days", whole=True),
)
ASSET_FIELDS = (
    Field("name"),
    Choice("level", words=tuple((level.value, level.value) for level in Level)),
    Field("parent"),
    Field("type"),
    Field("description"),
    Field("manufacturer"),
    Field("serial"),
    Day("installed"),
    Pairs("attributes", example="Rated power: 250 kW"),
    Number("position", whole=True),
    Point("location", ends=("latitude", "longitude"), example="[53.5512, 9.9937]"),
    Point("plan", ends=("plan_x", "plan_y"), example="[120, 45.5]"),
)
_PRIORITIES = (("critical", 1), ("high", 2), ("medium", 3), ("low", 4))
SOURCE_FIELDS = (Field("scope"), Flag("enabled"), Number("silent_after"), Choice("priority", words=_PRIORITIES))
ASSET_TYPE_DEFAULTS: dict[str, Any] = {"name": "", "description": "", "retention_days": None}
ASSET_DEFAULTS: dict[str, Any] = {
    "name": "",
    "level": "",
    "parent": "",
    "type": "",
    "description": "",
    "manufacturer": "",
    "serial": "",
    "installed": None,
    "attributes": {},
    "position": 0,
    **dict.fromkeys(LOCATION),
}
SOURCE_DEFAULTS: dict[str, Any] = {"scope": "", "enabled": True, "silent_after": None, "priority": 2}


class SensorsPart:
    """The sensors of types and assets."""

    key = "sensors"
    identity = "key"
    fields: Sequence[Field] = (
        Field("name"),
        Field("quantity"),
        Unit("unit"),
        Band("range"),
        Band("normal"),
        Number("interval"),
        Number("decimals", whole=True),
        Pairs("labels", numbers=True),
    )
    defaults: Mapping[str, Any] = {
        "name": "",
        "quantity": "",
        "unit": "",
        "range_low": None,
        "range_high": None,
        "normal_low": None,
        "normal_high": None,
        "interval": None,
        "decimals": None,
        "labels": {},
    }
    line = SENSORS
    revision = "plant"
    explained: frozenset[str] = frozenset()

    def check_name(self, name: str) -> str:
        """Gives what is wrong with a key, or nothing."""
        return "".join(problem.words for problem in check_code("key", name))

    def check(self, plant: Plant) -> list[Error]:
        """Gives what is wrong with sensors: first the types', then what assets say themselves."""
        errors = []
        for owner in (*plant.types.values(), *plant.assets.values()):
            own = owner.parts.get(self.key, {})
            if not own:
                continue
            whole = plant.effective(self, owner)
            for key, item in own.items():
                errors += item.errors(self.fields, check_measurement(whole[key]), f"{owner.name}/{key}")
        return errors


@cache
def parts() -> tuple[Part, ...]:
    """Gives the parts of types and assets, in the order of the file."""
    return (SensorsPart(), *(import_string(path)() for path in settings.CONFIGURATION_SECTIONS))


@cache
def listings() -> tuple[Listing, ...]:
    """Gives the lists beside assets, in the order of the file."""
    return tuple(import_string(path)() for path in settings.CONFIGURATION_LISTS)


def overlay(stored: Plant, file: Plant, *, prune: bool) -> Plant:
    """Gives the plant that a file asks for: its entries, and what it does not mention, unless that is to go."""
    if prune:
        return file
    return Plant(
        types=_owners(stored.types, file.types),
        assets=_owners(stored.assets, file.assets),
        sources={**stored.sources, **file.sources},
        lists={
            listing.key: {**stored.lists.get(listing.key, {}), **file.lists.get(listing.key, {})}
            for listing in listings()
        },
    )


def _owners(stored: Mapping[str, Owner], file: Mapping[str, Owner]) -> dict[str, Owner]:
    merged = dict(stored)
    for code, owner in file.items():
        before = stored.get(code)
        if before is not None:
            parts = {key: {**before.parts.get(key, {}), **items} for key, items in owner.parts.items()}
            owner = Owner(
                owner.name, owner.given, owner.line, owner.lines, owner.misread, parts={**before.parts, **parts}
            )
        merged[code] = owner
    return merged
