"""plant.yaml out: a `Plant` as text, always the same text for the same plant."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.configuration.fields import Field, quote
from devices.configuration.plant import (
    ASSET_FIELDS,
    ASSET_TYPE_FIELDS,
    SOURCE_FIELDS,
    Item,
    Owner,
    Plant,
    listings,
    parts,
)


def write(plant: Plant) -> str:
    """Gives the text of a plant: types and lists by code, assets in the order of the tree, sources by name.

    Keys stand in a fixed order, what equals its default is left out, numbers have their shortest form.
    """
    lines: list[str] = []
    if plant.types:
        lines.append("asset_types:")
        for owner in plant.types.values():
            lines += _owner(owner, ASSET_TYPE_FIELDS)
    if plant.assets:
        lines.append("assets:")
        for owner in plant.assets.values():
            lines += _owner(owner, ASSET_FIELDS)
    for listing in listings():
        if items := plant.lists.get(listing.key):
            lines.append(f"{listing.key}:")
            for item in items.values():
                lines += _item("code", item, listing.fields, "  ")
    if plant.sources:
        lines.append("sources:")
        for item in plant.sources.values():
            lines += _item("name", item, SOURCE_FIELDS, "  ")
    return "".join(f"{line}\n" for line in lines) or "assets: []\n"


def _owner(owner: Owner, fields: Sequence[Field]) -> Iterator[str]:
    yield from _item("code", owner, fields, "  ")
    for part in parts():
        items = owner.parts.get(part.key)
        if items:
            yield f"    {part.key}:"
            for item in items.values():
                yield from _item(part.identity, item, part.fields, "      ")


def _item(identity: str, item: Item, fields: Sequence[Field], indent: str) -> Iterator[str]:
    yield f"{indent}- {identity}: {quote(item.name)}"
    for field in fields:
        if any(model in item.given for model in field.models):
            yield f"{indent}  {field.key}: {field.write({**dict.fromkeys(field.models), **_whole(item, field)})}"


def _whole(item: Item, field: Field) -> Mapping[str, Any]:
    """Gives a field's values; where an asset overrides one end of a band, the other comes from its row."""
    return {**(item.stored or {}), **item.given} if len(field.models) > 1 else item.given
