"""A `Plant` from the database and into it, in few statements however large it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.changes import Change, change, ensure_shards, shard_of
from devices.configuration.document import ConfigurationError, Error
from devices.configuration.plant import (
    ASSET_DEFAULTS,
    ASSET_TYPE_DEFAULTS,
    SOURCE_DEFAULTS,
    Item,
    Listing,
    Owner,
    Part,
    Plant,
    listings,
    parts,
    values_of,
)
from devices.models import Asset, AssetType, Source
from devices.queries import tree
from devices.records import because, create_rows, update_rows

_NO_REASON = "plant.yaml"


@dataclass
class Report:
    """What an import did."""

    created: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    without_token: list[str] = field(default_factory=list)  # sources that nobody can send as yet
    unexplained: list[Error] = field(default_factory=list)  # changes that need a reason

    def count(self, what: dict[str, int], name: str, number: int) -> None:
        """Adds to one of the counts."""
        if number:
            what[name] = what.get(name, 0) + number

    @property
    def nothing(self) -> bool:
        """Tells whether the plant was so already."""
        return not (self.created or self.changed or self.deleted)


def stored() -> Plant:
    """Reads the whole plant. Cost: 3 queries, one for every list and 2 for every part."""
    plant = Plant()
    types = {row.pk: row for row in AssetType.objects.order_by("code")}
    for row in types.values():
        plant.types[row.code] = Owner(row.code, _given(ASSET_TYPE_DEFAULTS, _values(row, ASSET_TYPE_DEFAULTS)))
    assets = tree().assets
    for row in assets.values():
        values = _values(row, [field for field in ASSET_DEFAULTS if field not in ("parent", "type")])
        values["parent"] = assets[row.parent_id].code if row.parent_id else ""
        values["type"] = types[row.type_id].code if row.type_id else ""
        plant.assets[row.code] = Owner(row.code, _given(ASSET_DEFAULTS, values))
    for part in parts():
        _stored_part(part, plant, types, assets)
    for listing in listings():
        items = plant.lists.setdefault(listing.key, {})
        for entry in listing.model.objects.order_by("code").values("code", *listing.defaults):
            links = {name: assets[entry[name]].code if entry[name] else "" for name in listing.links}
            code = entry.pop("code")
            items[code] = Item(code, _given(listing.defaults, {**entry, **links}))
    for source in Source.objects.order_by("name").values("name", *SOURCE_DEFAULTS):
        values = {**source, "scope": assets[source["scope"]].code}
        plant.sources[values.pop("name")] = Item(source["name"], _given(SOURCE_DEFAULTS, values))
    return plant


def _stored_part(part: Part, plant: Plant, types: Mapping[int, AssetType], assets: Mapping[int, Asset]) -> None:
    name, fields = part.line.identity, part.line.fields
    for row in part.line.template.objects.order_by("id").values("type_id", name, *fields):
        items = plant.types[types[row.pop("type_id")].code].parts.setdefault(part.key, {})
        identity = row.pop(name)
        items[identity] = Item(identity, _given(part.defaults, row))
    for row in part.line.copy.objects.order_by("id").values("asset_id", "origin_id", "overrides", name, *fields):
        owner = plant.assets[assets[row.pop("asset_id")].code]
        inherited, overrides, identity = row.pop("origin_id") is not None, row.pop("overrides"), row.pop(name)
        if not inherited:
            owner.parts.setdefault(part.key, {})[identity] = Item(identity, _given(part.defaults, row))
        elif overrides:
            given = {field: row[field] for field in overrides}
            owner.parts.setdefault(part.key, {})[identity] = Item(identity, given, stored=row)


def _values(row: Any, fields: Iterable[str]) -> dict[str, Any]:
    return {field: getattr(row, field) for field in fields}


def _given(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in values.items() if value != defaults.get(field, _MISSING)}


_MISSING = object()


def apply(file: Plant, wanted: Plant, *, prune: bool, reason: str = "") -> Report:
    """Writes what differs between the database and a checked plant.

    Takes: what the file says, and the whole plant that results. Entries of the file alone are compared; the rest goes
    where `prune` says so. Why, which every row's history carries.
    Raises: ConfigurationError where a change needs a reason and there is none.
    """
    report = Report()
    with change() as pending, because(reason or _NO_REASON):
        pending.explain(reason or _NO_REASON)
        types = _types(file, report, pending)
        templates = {part.key: _templates(part, file, types, report, pending) for part in parts()}
        assets = _assets(file, types, report, pending)
        for listing in listings():
            _listed(listing, file, assets, report, pending)
        for part in parts():
            _copies(part, file, wanted, assets, templates[part.key], report, pending)
        _sources(file, assets, report, pending)
        if prune:
            _prune(file, report, pending)
        if report.unexplained and not reason:
            raise ConfigurationError(report.unexplained)
    report.without_token = list(Source.objects.filter(token_hash="").order_by("name").values_list("name", flat=True))
    return report


def _save(
    model: Any, name: str, new: list[Any], changed: Mapping[Any, Iterable[str]], report: Report, pending: Change
) -> None:
    """Writes new and changed rows with their history."""
    create_rows(model, new)
    update_rows(model, changed)
    report.count(report.created, name, len(new))
    report.count(report.changed, name, len(changed))
    if new or changed:
        pending.revisions.add("plant")


def _differs(row: Any, values: Mapping[str, Any]) -> set[str]:
    """Sets a row's fields in memory; gives those that changed."""
    touched = {name for name, value in values.items() if getattr(row, name) != value}
    for name in touched:
        setattr(row, name, values[name])
    return touched


def _types(file: Plant, report: Report, pending: Change) -> dict[str, AssetType]:
    rows = {row.code: row for row in AssetType.objects.all()}
    new, changed = [], {}
    for code, owner in file.types.items():
        values = values_of(owner, ASSET_TYPE_DEFAULTS)
        if code not in rows:
            rows[code] = AssetType(code=code, **values)
            new.append(rows[code])
        elif touched := _differs(rows[code], values):
            changed[rows[code]] = touched
    _save(AssetType, "asset types", new, changed, report, pending)
    return rows


def _templates(
    part: Part, file: Plant, types: Mapping[str, AssetType], report: Report, pending: Change
) -> dict[tuple[int, str], Any]:
    """Writes a part of the types; gives all templates by type and identity."""
    model, identity = part.line.template, part.line.identity
    rows = {(row.type_id, getattr(row, identity)): row for row in model.objects.all()}
    new, changed = [], {}
    for code, owner in file.types.items():
        whole = file.effective(part, owner)
        for name in owner.parts.get(part.key, {}):
            values = whole[name]
            place = (types[code].pk, name)
            row = rows.get(place)
            if row is None:
                rows[place] = model(type=types[code], **{identity: name}, **values)
                new.append(rows[place])
            elif touched := _differs(row, values):
                changed[row] = touched
                _explained(part, owner, owner.parts[part.key][name], touched, report)
    _save(model, f"{part.key} of types", new, changed, report, pending)
    pending.types.update(row.type_id for row in (*new, *changed))
    if new or changed:
        pending.revisions.add(part.revision)
    if part.key == "sensors":
        repaced = [row for row, fields in changed.items() if "interval" in fields]
        pending.intervals.update(part.line.copy.objects.filter(origin__in=repaced).values_list("id", flat=True))
    return rows


def _explained(part: Part, owner: Owner, item: Item, touched: set[str], report: Report) -> None:
    """Notes a change of an entry that needs a reason."""
    fields = [field for field in part.line.fields if field in touched & part.explained]
    if fields:
        words = f"{owner.name}, {part.key.removesuffix('s')} {item.name!r}: a change of {' and '.join(fields)} needs"
        report.unexplained.append(Error(item.at(part.fields, fields[0]), f"{words} a reason (--reason)."))


def _assets(file: Plant, types: Mapping[str, AssetType], report: Report, pending: Change) -> dict[str, Asset]:
    rows = {row.code: row for row in Asset.objects.all()}
    shards = ensure_shards()
    later: list[Owner] = []
    new, changed = [], {}
    for code, owner in file.assets.items():
        values = values_of(owner, ASSET_DEFAULTS)
        parent, kind = values.pop("parent"), values.pop("type")
        values["type_id"] = types[kind].pk if kind else None
        if code not in rows:
            rows[code] = Asset(code=code, shard=shard_of(code, shards), **values)
            new.append(rows[code])
            later.append(owner)
            continue
        # A parent that is new has no number yet: see below.
        if parent and (parent not in rows or rows[parent].pk is None):
            later.append(owner)
        else:
            values["parent_id"] = rows[parent].pk if parent else None
        if touched := _differs(rows[code], values):
            changed[rows[code]] = touched
    # Generation by generation: a child is written once its parent has a number.
    waiting = [owner for owner in later if rows[owner.name].pk is None]
    while waiting:
        ready = []
        for owner in waiting:
            parent = owner.given.get("parent", "")
            if not parent or rows[parent].pk is not None:
                rows[owner.name].parent_id = rows[parent].pk if parent else None
                ready.append(owner)
        _save(Asset, "assets", [rows[owner.name] for owner in ready], {}, report, pending)
        waiting = [owner for owner in waiting if rows[owner.name].pk is None]
    fresh = {row.pk for row in new}
    for owner in later:
        row = rows[owner.name]
        if row.pk not in fresh and (touched := _differs(row, {"parent_id": rows[owner.given["parent"]].pk})):
            changed[row] = changed.get(row, set()) | touched
    renamed = {"type_id": "type", "parent_id": "parent"}
    named = {row: {renamed.get(field, field) for field in fields} for row, fields in changed.items()}
    _save(Asset, "assets", [], named, report, pending)
    pending.assets.update(fresh)
    pending.assets.update(row.pk for row, fields in named.items() if "type" in fields)
    pending.places.update(fresh)
    pending.places.update(row.pk for row, fields in named.items() if fields & {"parent", "level"})
    return rows


def _copies(
    part: Part,
    file: Plant,
    wanted: Plant,
    assets: Mapping[str, Asset],
    templates: Mapping[tuple[int, str], Any],
    report: Report,
    pending: Change,
) -> None:
    """Writes what assets say of a part themselves; what they only inherit is handed down when the change settles."""
    model, line = part.line.copy, part.line
    owners = [owner for owner in file.assets.values() if owner.parts.get(part.key)]
    if not owners:
        return
    rows = {
        (row.asset_id, getattr(row, line.identity)): row
        for row in model.objects.select_related("origin").order_by("id")
    }
    new: list[Any] = []
    changed: dict[Any, set[str]] = {}
    for owner in owners:
        asset = assets[owner.name]
        whole = wanted.effective(part, owner)
        for name in owner.parts[part.key]:
            row = rows.get((asset.pk, name))
            template = templates.get((asset.type_id or 0, name))
            if row is None:
                row = model(asset=asset, origin=template, **{line.identity: name}, **whole[name])
                if template is not None:
                    row.overrides = [field for field in line.fields if whole[name][field] != getattr(template, field)]
                new.append(row)
                continue
            item, said = owner.parts[part.key][name], set(row.overrides)
            if touched := line.override(row, template, whole[name]):
                changed[row] = touched
                # What changes with the type is explained there.
                own = touched if template is None else touched & (said | set(item.given))
                _explained(part, owner, item, own, report)
    line.create(new)
    line.update(changed)
    report.count(report.created, part.key, len(new))
    report.count(report.changed, part.key, len(changed))
    pending.assets.update(row.asset_id for row in (*new, *changed))
    if new or changed:
        pending.revisions.add(part.revision)
    if part.key == "sensors":
        pending.intervals.update(row.pk for row, fields in changed.items() if "interval" in fields)


def _listed(listing: Listing, file: Plant, assets: Mapping[str, Asset], report: Report, pending: Change) -> None:
    rows = {row.code: row for row in listing.model.objects.all()}
    new, changed = [], {}
    for code, item in file.lists.get(listing.key, {}).items():
        values = values_of(item, listing.defaults)
        for name in listing.links:
            asset = assets.get(values.pop(name))
            values[f"{name}_id"] = asset.pk if asset else None
        if code not in rows:
            new.append(listing.model(code=code, **values))
        elif touched := _differs(rows[code], values):
            changed[rows[code]] = {field.removesuffix("_id") for field in touched}
    _save(listing.model, listing.key.replace("_", " "), new, changed, report, pending)
    if new or changed:
        pending.mark(listing.key, [row.pk for row in (*new, *changed)])
        pending.revisions.add(listing.revision)


def _sources(file: Plant, assets: Mapping[str, Asset], report: Report, pending: Change) -> None:
    rows = {row.name: row for row in Source.objects.all()}
    new, changed = [], {}
    for name, item in file.sources.items():
        values = values_of(item, SOURCE_DEFAULTS)
        scope = assets[values.pop("scope")]
        if name not in rows:
            new.append(Source(name=name, scope=scope, **values))
        elif touched := _differs(rows[name], {**values, "scope_id": scope.pk}):
            changed[rows[name]] = {field.removesuffix("_id") for field in touched}
    _save(Source, "sources", new, changed, report, pending)


def _prune(file: Plant, report: Report, pending: Change) -> None:
    """Takes away what the file does not mention, what depends on other things first."""
    gone = Source.objects.exclude(name__in=file.sources)
    _delete(gone, "sources", report, pending)
    for listing in listings():
        gone = listing.model.objects.exclude(code__in=file.lists.get(listing.key, {}))
        pending.mark(listing.key, gone.values_list("id", flat=True))
        _delete(gone, listing.key.replace("_", " "), report, pending)
    for part in reversed(parts()):
        line = part.line
        own = {owner.name: owner.parts.get(part.key, {}) for owner in file.assets.values()}
        reset: dict[Any, set[str]] = {}
        lost: list[int] = []
        for row in line.copy.objects.select_related("asset", "origin"):
            if getattr(row, line.identity) in own.get(row.asset.code, {}):
                continue
            if row.origin_id is None:
                lost.append(row.pk)
                pending.assets.add(row.asset_id)
            elif row.overrides:
                reset[row] = line.override(row, row.origin, _values(row.origin, line.fields))
                owner = file.assets.get(row.asset.code) or Owner(row.asset.code, {})
                item = Item(getattr(row, line.identity), {}, owner.line)
                _explained(part, owner, item, reset[row], report)
                pending.assets.add(row.asset_id)
        line.update(reset)
        report.count(report.changed, part.key, len(reset))
        _delete(line.copy.objects.filter(pk__in=lost), part.key, report, pending)
        if lost or reset:
            pending.revisions.add(part.revision)
        of_types = {owner.name: owner.parts.get(part.key, {}) for owner in file.types.values()}
        templates = [
            row
            for row in line.template.objects.select_related("type")
            if getattr(row, line.identity) not in of_types.get(row.type.code, {})
        ]
        if templates:
            pending.assets.update(line.release(templates))
            pending.revisions.add(part.revision)
            _delete(
                line.template.objects.filter(pk__in=[row.pk for row in templates]),
                f"{part.key} of types",
                report,
                pending,
            )
    gone = Asset.objects.exclude(code__in=file.assets)
    pending.mark("gone", gone.values_list("id", flat=True))
    _delete(gone, "assets", report, pending)
    _delete(AssetType.objects.exclude(code__in=file.types), "asset types", report, pending)


def _delete(rows: Any, name: str, report: Report, pending: Change) -> None:
    number = rows.count()
    if number:
        rows.delete()
        report.count(report.deleted, name, number)
        pending.revisions.add("plant")
