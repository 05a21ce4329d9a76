"""Handing down what a type has to every asset of the type: sensors here, rules in alerts, by the same steps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.records import create_rows, update_rows


@dataclass(frozen=True)
class Line:
    """One line of inheritance: from `template` rows of a type to `copy` rows of its assets.

    `identity` is the field by which the two are the same thing (a sensor's key, a rule's name); `fields` are handed
    down unless a copy's `overrides` names them. `changed` may touch a copy before it is written and names what it set.
    """

    template: Any  # two model classes
    copy: Any
    identity: str
    fields: tuple[str, ...]
    changed: Callable[[Any, set[str]], set[str]] = lambda row, fields: set()

    def hand_down(self, types: Mapping[int, int | None]) -> bool:
        """Brings the copies of some assets in line with their types.

        A type's row makes a copy in every asset; an asset's own row of the same identity becomes that copy, its
        differing fields its overrides. A copy whose template left goes with it, unless the asset overrides it: then
        it stays as the asset's own.

        Takes: the type of every asset in question. Gives: whether anything changed. Cost: 2 queries when nothing did.
        """
        if not types:
            return False
        templates: dict[int, list[Any]] = {}
        for template in self.template._default_manager.filter(type__in={t for t in types.values() if t}).order_by("id"):
            templates.setdefault(template.type_id, []).append(template)
        row: Any
        rows: dict[int, list[Any]] = {}
        for row in self.copy._default_manager.filter(asset__in=list(types)).order_by("id"):
            rows.setdefault(row.asset_id, []).append(row)
        made: list[Any] = []
        changed: dict[Any, set[str]] = {}
        gone: list[Any] = []
        for asset_id, type_id in types.items():
            own = rows.get(asset_id, [])
            by_origin = {row.origin_id: row for row in own if row.origin_id}
            by_identity = {getattr(row, self.identity): row for row in own}
            claimed = set()
            for template in templates.get(type_id or 0, []):
                row = by_origin.get(template.pk) or by_identity.get(getattr(template, self.identity))
                if row is None:
                    made.append(self._copy(asset_id, template))
                    continue
                claimed.add(row.pk)
                if touched := self._align(row, template):
                    changed[row] = touched
            for row in own:
                if row.origin_id and row.pk not in claimed:
                    if row.overrides:
                        row.origin_id, row.overrides = None, []
                        changed[row] = {"origin", "overrides"}
                    else:
                        gone.append(row)
        # Rows that go leave first: a new one may bear their identity.
        if gone:
            self.copy._default_manager.filter(pk__in=[row.pk for row in gone]).delete()
        self.update(changed)
        self.create(made)
        return bool(made or changed or gone)

    def _copy(self, asset_id: int, template: Any) -> Any:
        values = {field: getattr(template, field) for field in (self.identity, *self.fields)}
        return self.copy(asset_id=asset_id, origin=template, overrides=[], **values)

    def _align(self, row: Any, template: Any) -> set[str]:
        touched = set()
        if row.origin_id != template.pk:
            row.origin_id = template.pk
            touched.add("origin")
            row_overrides = list(self.fields)  # what it says itself counts, where it differs
        else:
            row_overrides = row.overrides
        if getattr(row, self.identity) != getattr(template, self.identity):
            setattr(row, self.identity, getattr(template, self.identity))
            touched.add(self.identity)
        overrides = []
        for field in self.fields:
            value = getattr(template, field)
            if getattr(row, field) == value:
                continue
            if field in row_overrides:
                overrides.append(field)
            else:
                setattr(row, field, value)
                touched.add(field)
        if overrides != row.overrides:
            row.overrides = overrides
            touched.add("overrides")
        return touched

    def release(self, templates: Sequence[Any]) -> list[int]:
        """Takes templates away from their copies: untouched copies go, overridden ones become the asset's own.

        Gives: the ids of the assets that had a copy. Call it before the templates are deleted.
        """
        rows = list(self.copy._default_manager.filter(origin__in=templates))
        kept = [row for row in rows if row.overrides]
        for row in kept:
            row.origin, row.overrides = None, []
        self.copy._default_manager.filter(pk__in=[row.pk for row in rows if row not in kept]).delete()
        self.update({row: {"origin", "overrides"} for row in kept})
        return [row.asset_id for row in rows]

    def override(self, row: Any, origin: Any, changes: Mapping[str, Any]) -> set[str]:
        """Sets fields of an asset's row, in memory, and notes what differs from the type's, if it has one there.

        Gives: the fields that changed, with "origin" and "overrides" among them when those did.
        """
        touched = {field for field, value in changes.items() if getattr(row, field) != value}
        for field in touched:
            setattr(row, field, changes[field])
        if row.origin_id != (origin.pk if origin else None):
            row.origin = origin
            touched.add("origin")
        overrides = [field for field in self.fields if getattr(row, field) != getattr(origin, field)] if origin else []
        if overrides != row.overrides:
            row.overrides = overrides
            touched.add("overrides")
        return touched

    def create(self, rows: Sequence[Any]) -> None:
        """Writes new copies with their history."""
        create_rows(self.copy, rows)

    def update(self, rows: Mapping[Any, Iterable[str]]) -> None:
        """Writes changed copies, each with the fields that changed, with their history."""
        update_rows(self.copy, {row: {*fields, *self.changed(row, set(fields))} for row, fields in rows.items()})
