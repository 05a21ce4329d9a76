"""plant.yaml in: the text as a `Plant`, with every error and its line."""

from collections.abc import Iterator, Sequence
from typing import Any

from devices.checks import check_code, check_place, check_source
from devices.configuration import document
from devices.configuration.document import ConfigurationError, Error, parse
from devices.configuration.fields import Field, read_entry, suggestion
from devices.configuration.plant import (
    ASSET_DEFAULTS,
    ASSET_FIELDS,
    ASSET_TYPE_DEFAULTS,
    ASSET_TYPE_FIELDS,
    SOURCE_DEFAULTS,
    SOURCE_FIELDS,
    Item,
    Owner,
    Part,
    Plant,
    listings,
    overlay,
    parts,
    values_of,
)
from devices.models import Asset, AssetType, Level
from devices.services import check_asset, check_asset_type


def read(text: str) -> tuple[Plant, list[Error]]:
    """Gives what a file says by itself, and the errors of its form. Raises: ConfigurationError when it is no YAML."""
    root = parse(text)
    errors: list[Error] = []
    known = ("asset_types", "assets", *(listing.key for listing in listings()), "sources")
    for key, line in root.lines.items():
        if key not in known:
            errors.append(Error(line, f"unknown key {key!r}{suggestion(key, known)}"))
    plant = Plant()
    for node, line in _entries(root, "asset_types", errors):
        _owner(node, line, "code", "asset type", ASSET_TYPE_FIELDS, plant.types, errors)
    for node, line in _entries(root, "assets", errors):
        _owner(node, line, "code", "asset", ASSET_FIELDS, plant.assets, errors)
    for listing in listings():
        items = plant.lists.setdefault(listing.key, {})
        for node, line in _entries(root, listing.key, errors):
            _item(node, line, "code", listing.what, listing.fields, (), items, errors)
    for node, line in _entries(root, "sources", errors):
        _item(node, line, "name", "source", SOURCE_FIELDS, (), plant.sources, errors)
    return plant, errors


def wanted(text: str, stored: Plant, *, prune: bool = False) -> tuple[Plant, Plant]:
    """Gives what a file says, and the whole plant that it asks for over what is there, checked.

    Raises: ConfigurationError with everything that is wrong.
    """
    file, errors = read(text)
    plant = overlay(stored, file, prune=prune)
    errors += check(plant)
    if errors:
        raise ConfigurationError(errors)
    return file, plant


def check(plant: Plant) -> list[Error]:
    """Gives everything that is wrong with a whole plant."""
    errors = [*_check_types(plant), *_check_assets(plant), *_check_sources(plant)]
    for listing in listings():
        errors += listing.check(plant)
    for part in parts():
        errors += part.check(plant)
    return errors


# --- Form ----------------------------------------------------------------------------------------------------------


def _entries(
    node: document.Mapping, key: str, errors: list[Error], what: str = ""
) -> Iterator[tuple[document.Mapping, int]]:
    """Gives the entries of a list of mappings."""
    found = node.items.get(key)
    if found is None or (isinstance(found, document.Scalar) and found.value is None):
        return
    prefix = f"{what}: " if what else ""
    if not isinstance(found, document.Sequence):
        errors.append(Error(node.lines[key], f"{prefix}{key} is a list: each entry begins with a dash."))
        return
    for item in found.items:
        if isinstance(item, document.Mapping):
            yield item, item.line
        else:
            errors.append(Error(item.line, f"{prefix}an entry of {key} has keys and values."))


def _item(
    node: document.Mapping,
    line: int,
    identity: str,
    what: str,
    fields: Sequence[Field],
    others: Sequence[str],
    into: dict[str, Any],
    errors: list[Error],
    *,
    make: type[Item] = Item,
    within: str = "",
) -> Any:
    """Reads one entry into a dictionary by its identity; gives none where it has no usable one."""
    name_node = node.items.get(identity)
    name = name_node.text if isinstance(name_node, document.Scalar) and name_node.value is not None else ""
    label = f"{within}{what} {name!r}" if name else f"{within}{what}"
    given, misread = read_entry(node, fields, (identity, *others), errors, label)
    if not name:
        errors.append(Error(node.lines.get(identity, line), f"{label}: {identity} is missing."))
        return None
    if name in into:
        errors.append(
            Error(node.lines[identity], f"{label}: this {identity} stands twice; first in line {into[name].line}.")
        )
        return None
    into[name] = make(name, given, line, node.lines, misread)
    return into[name]


def _owner(
    node: document.Mapping,
    line: int,
    identity: str,
    what: str,
    fields: Sequence[Field],
    into: dict[str, Owner],
    errors: list[Error],
) -> None:
    keys = tuple(part.key for part in parts())
    owner = _item(node, line, identity, what, fields, keys, into, errors, make=Owner)
    if owner is None:
        # Its parts are read all the same: all errors come in one answer.
        owner = Owner("", {}, line)
    for part in parts():
        _part(node, part, owner, errors)


def _part(node: document.Mapping, part: Part, owner: Owner, errors: list[Error]) -> None:
    if part.key not in node.items:
        return
    found: dict[str, Item] = {}
    owner.parts[part.key] = found
    what = part.key.removesuffix("s")
    for entry, line in _entries(node, part.key, errors, owner.name):
        within = f"{owner.name}, " if owner.name else ""
        item = _item(entry, line, part.identity, what, part.fields, (), found, errors, within=within)
        if item is not None and (words := part.check_name(item.name)):
            errors.append(Error(entry.lines[part.identity], f"{within}{words}"))


# --- Content -------------------------------------------------------------------------------------------------------


def _check_types(plant: Plant) -> list[Error]:
    errors = []
    for code, owner in plant.types.items():
        row = AssetType(code=code, **values_of(owner, ASSET_TYPE_DEFAULTS))
        errors += owner.errors(ASSET_TYPE_FIELDS, check_asset_type(row), f"asset type {code!r}")
    return errors


def _check_assets(plant: Plant) -> list[Error]:
    errors = []
    for code, owner in plant.assets.items():
        values = values_of(owner, ASSET_DEFAULTS)
        what = f"asset {code!r}"
        row = Asset(code=code, **{field: value for field, value in values.items() if field not in ("parent", "type")})
        errors += owner.errors(ASSET_FIELDS, check_asset(row), what)
        if values["type"] and values["type"] not in plant.types:
            hint = suggestion(values["type"], plant.types)
            errors.append(Error(owner.at(ASSET_FIELDS, "type"), f"{what}: unknown asset type {values['type']!r}{hint}"))
        if values["parent"]:
            errors += _check_parent(plant, owner, values, what)
    return errors + _loops(plant)


def _check_parent(plant: Plant, owner: Owner, values: dict[str, Any], what: str) -> list[Error]:
    line = owner.at(ASSET_FIELDS, "parent")
    parent = plant.assets.get(values["parent"])
    if parent is None:
        hint = suggestion(values["parent"], plant.assets)
        return [Error(line, f"{what}: unknown parent {values['parent']!r}{hint}")]
    above = parent.given.get("level", "")
    if values["level"] not in Level.values or above not in Level.values:
        return []
    if parent is owner:  # a circle, which is told as such
        return []
    name, above_name = values["name"] or owner.name, parent.given.get("name") or parent.name
    problems = check_place(name=name, level=values["level"], above_name=above_name, above_level=above)
    return [Error(line or parent.line, f"{what}: {problem.words}") for problem in problems]


def _loops(plant: Plant) -> list[Error]:
    """Gives each loop of parents once, at the first of its entries in the file."""
    errors = []
    done: set[str] = set()
    for start in plant.assets:
        trail: list[str] = []
        code = start
        while code in plant.assets and code not in done and code not in trail:
            trail.append(code)
            code = plant.assets[code].given.get("parent", "")
        if code in trail:
            loop = trail[trail.index(code) :]
            lines = [plant.assets[member].at(ASSET_FIELDS, "parent") for member in loop]
            line = min((line for line in lines if line), default=0)
            errors.append(Error(line, f"assets stand in a circle: {' → '.join([*loop, loop[0]])}."))
        done.update(trail)
    return errors


def _check_sources(plant: Plant) -> list[Error]:
    errors = []
    for name, item in plant.sources.items():
        scope = item.given.get("scope", SOURCE_DEFAULTS["scope"])
        line = item.at(SOURCE_FIELDS, "scope")
        if not scope:
            errors.append(Error(line, f"source {name!r}: scope is missing: the asset below which it may send."))
        elif scope not in plant.assets:
            hint = suggestion(scope, plant.assets)
            errors.append(Error(line, f"source {name!r}: unknown asset {scope!r}{hint}"))
        errors += [Error(item.line, f"source: {problem.words}") for problem in check_code("name", name)]
        line = item.at(SOURCE_FIELDS, "silent_after")
        wrong = check_source(item.given.get("silent_after"))
        errors += [Error(line, f"source {name!r}: {problem.words}") for problem in wrong]
    return errors
