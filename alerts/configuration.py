"""The parts of plant.yaml above the plant model: rules below types and assets, alarm classes, operator positions."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts import by_design, catalogue, wiring
from alerts.checks import DEFAULTS, EXPLAINED, Facts, check_named, check_rule, reads
from alerts.models import AlarmClass, Kind, Position, Priority
from alerts.rules import tidy
from alerts.staffing import EXAMPLE, pairs_of, week_of
from devices.changes import Change
from devices.checks import number
from devices.configuration import document
from devices.configuration.document import Error, Node, Scalar
from devices.configuration.fields import Choice, Field, Flag, Number, Pairs, Wrong, figure, quote, suggestion
from devices.configuration.plant import Item, Owner, Plant, SensorsPart, values_of


@dataclass(frozen=True)
class Reference(Field):
    """A deviation's reference: a number or a sensor."""

    def scalar(self, node: Scalar) -> str:
        """Gives it as text, a number in its shortest form."""
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return str(tidy({"reference": node.value})["reference"])
        return str(super().scalar(node))

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives a number plain."""
        text = values["reference"]
        try:
            return number(float(text))
        except ValueError:
            return quote(text)


@dataclass(frozen=True)
class Whiles(Field):
    """What a rule is suppressed by: suppress_when: [{sensor: state, equals: [0, 4]}, {alarm: Motor trip}]."""

    def value(self, node: Node) -> list[dict[str, Any]]:
        """Gives the conditions in their order."""
        if isinstance(node, Scalar) and node.value is None:
            return []
        if not isinstance(node, document.Sequence):
            raise Wrong(f"{self.key} is a list, for example [{{sensor: state, equals: [0]}}, {{alarm: Motor trip}}].")
        return [self._one(item) for item in node.items]

    def _one(self, node: Node) -> dict[str, Any]:
        if not isinstance(node, document.Mapping):
            raise Wrong(f"{self.key}: each of it is {{sensor: …, equals: […]}} or {{alarm: …}}.")
        found: dict[str, Any] = {}
        for key, item in node.items.items():
            if key == "equals":
                if not isinstance(item, document.Sequence):
                    raise Wrong(f"{self.key}: equals is a list of numbers.")
                found[key] = [figure("equals", part) for part in item.items]
            elif isinstance(item, Scalar):
                found[key] = item.text
            else:
                raise Wrong(f"{self.key}: {key} is one value.")
        return found

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives the list in brackets."""
        return f"[{', '.join(map(self._text, values[self.models[0]]))}]"

    @staticmethod
    def _text(one: Mapping[str, Any]) -> str:
        if "alarm" in one:
            return f"{{alarm: {quote(one['alarm'], flow=True)}}}"
        numbers = ", ".join(number(value) for value in one["equals"])
        return f"{{sensor: {quote(one['sensor'], flow=True)}, equals: [{numbers}]}}"


# The fields of a rule that name an entry of a list.
_NAMED = (("alarm_class", catalogue.CLASSES), ("position", catalogue.POSITIONS))


class RulesSection:
    """Rules follow the plant model, and stand in plant.yaml below types and assets."""

    key = "rules"
    identity = "name"
    fields: Sequence[Field] = (
        Field("sensor", "sensor_key"),
        Choice("kind", words=tuple((kind.value, kind.value) for kind in Kind)),
        Number("limit"),
        Number("low"),
        Number("high"),
        Number("value"),
        Reference("reference"),
        Number("deadband"),
        Number("window"),
        Number("per"),
        Number("timeout"),
        Number("duration"),
        Number("tolerance"),
        Pairs("inputs"),
        Field("expression"),
        Number("on_delay"),
        Number("off_delay"),
        Choice("priority", words=tuple((priority.name.lower(), priority.value) for priority in Priority)),
        Field("class", "alarm_class"),
        Field("position"),
        Flag("ack_required"),
        Flag("latching"),
        Number("realarm"),
        Field("group"),
        Field("hides"),
        Whiles("suppress_when"),
        Flag("shelvable"),
        Number("longest_shelving"),
        Field("cause"),
        Field("consequence"),
        Field("action"),
        Field("confirmation"),
        Number("time_to_respond"),
        Field("severity"),
        Flag("enabled"),
    )
    defaults: Mapping[str, Any] = {"kind": "", **DEFAULTS}
    line = wiring.RULES
    revision = "rules"
    explained = EXPLAINED

    def follow(self, change: Change) -> None:
        """Brings the rules in line with a changed plant."""
        wiring.follow(change)

    def check_name(self, name: str) -> str:
        """Gives what is wrong with a rule's name, or nothing."""
        return "" if len(name) <= 120 else f"rule {name[:20]}…: a name has 120 characters at most."

    def check(self, plant: Plant) -> list[Error]:
        """Gives what is wrong with the rules of types, and with those of assets that differ from their type's."""
        sensors = SensorsPart()
        by_asset = {code: plant.effective(sensors, owner) for code, owner in plant.assets.items()}
        tags = {
            f"{code}/{key}": Facts(values["range_low"], values["range_high"])
            for code, found in by_asset.items()
            for key, values in found.items()
        }
        errors = []
        for owner in plant.types.values():
            own = {
                f"/{key}": Facts(values["range_low"], values["range_high"])
                for key, values in plant.effective(sensors, owner).items()
            }
            errors += self._errors(plant, owner, "", ChainMap(own, tags), owner.parts.get(self.key, {}))
        for code, owner in plant.assets.items():
            errors += self._errors(plant, owner, code, tags, dict(self._own(plant, owner, sensors)))
        return errors + self._by_design(plant, tags)

    def _by_design(self, plant: Plant, tags: Mapping[str, Facts]) -> list[Error]:
        """Gives what is wrong with what suppresses what: a type's rules by themselves, then those of all assets."""
        sensors = SensorsPart()
        rules = {
            (code, name): values
            for code, owner in plant.assets.items()
            for name, values in plant.effective(self, owner).items()
        }
        errors: dict[tuple[str, str], Error] = {}
        for owner in plant.types.values():
            own = {("", name): values for name, values in plant.effective(self, owner).items()}
            if not any(values["hides"] or values["suppress_when"] for values in own.values()):
                continue
            reached = ChainMap({f"/{key}": None for key in plant.effective(sensors, owner)}, dict.fromkeys(tags))
            for fault in by_design.causes({**dict.fromkeys(rules, by_design.SILENT), **own}, reached)[1]:
                self._add(errors, owner, fault)
        for fault in by_design.causes(rules, tags)[1]:
            owner = plant.assets[fault.rule[0]]
            if fault.rule[1] not in owner.parts.get(self.key, {}):
                owner = plant.types[owner.given["type"]]
            self._add(errors, owner, fault)
        return list(errors.values())

    def _add(self, errors: dict[tuple[str, str], Error], owner: Owner, fault: by_design.Fault) -> None:
        name = fault.rule[1]
        item = owner.parts[self.key][name]
        found = item.errors(self.fields, [fault.problem], f"{owner.name}, rule {name!r}")
        for error in found:
            errors.setdefault((owner.name, name), error)

    def _own(self, plant: Plant, owner: Owner, sensors: SensorsPart) -> Iterator[tuple[str, Item]]:
        """Gives an asset's own rules, and its type's where a sensor they read is the asset's own."""
        mine = owner.parts.get(self.key, {})
        yield from mine.items()
        above = plant.types.get(owner.given.get("type") or "")
        differing = owner.parts.get(sensors.key)
        if above is None or not differing:
            return
        for name, item in above.parts.get(self.key, {}).items():
            values = {**self.defaults, **item.given}
            if name not in mine and any(tag.partition("/")[2] in differing for _, tag in reads(values, owner.name)):
                # What is wrong comes from the asset's sensor: it is told there.
                yield name, Item(name, {}, line=min((sensor.line for sensor in differing.values()), default=0))

    def _errors(
        self, plant: Plant, owner: Owner, code: str, tags: Mapping[str, Facts], items: Mapping[str, Item]
    ) -> list[Error]:
        if not items:
            return []
        whole = plant.effective(self, owner)
        known = {field: set(plant.lists.get(key, {})) for field, key in _NAMED}
        errors = []
        for name, item in items.items():
            what = f"{owner.name}, rule {name!r}"
            values = whole[name]
            if not values["kind"]:
                if "kind" not in item.misread:
                    errors.append(Error(item.line, f"{what}: kind is missing."))
                continue
            # What comes from the type is told there.
            named = check_named({field: item.given.get(field, "") for field in known}, known)
            problems = [*check_rule(name, values, asset=code, sensors=tags), *named]
            errors += item.errors(self.fields, problems, what)
        return errors


@dataclass(frozen=True)
class Staffed(Field):
    """The staffed hours of a position: staffed: {mon-fri: "06:00-22:00", sat: "06:00-14:00"}."""

    def value(self, node: Node) -> Any:
        """Gives the week."""
        if isinstance(node, Scalar) and node.value is None:
            return None
        if not isinstance(node, document.Mapping):
            raise Wrong(f"{self.key} are days with their hours, for example {{{EXAMPLE}}}.")
        if wrong := [key for key, item in node.items.items() if not isinstance(item, Scalar)]:
            raise Wrong(f"{self.key}: {wrong[0]} has one text, for example 06:00-14:00, 22:00-24:00.")
        try:
            return week_of({key: item.text for key, item in node.items.items()})
        except ValueError as error:
            raise Wrong(f"{self.key}: {error}") from None

    def write(self, values: Mapping[str, Any]) -> str:
        """Gives the days in braces."""
        week = values[self.models[0]]
        if week is None:
            return "null"
        return "{" + ", ".join(f"{days}: {quote(text, flow=True)}" for days, text in pairs_of(week).items()) + "}"


class AlarmClasses:
    """The alarm classes."""

    key = catalogue.CLASSES
    what = "alarm class"
    model = AlarmClass
    fields: Sequence[Field] = (Field("name"), Field("description"), Flag("shelvable"), Number("longest_shelving"))
    defaults: Mapping[str, Any] = {"name": "", "description": "", "shelvable": True, "longest_shelving": None}
    links: tuple[str, ...] = ()
    revision = "rules"

    def check(self, plant: Plant) -> list[Error]:
        """Gives what is wrong with the classes."""
        errors = []
        for code, item in plant.lists.get(self.key, {}).items():
            problems = catalogue.check_class(values_of(item, self.defaults), code)
            errors += item.errors(self.fields, problems, f"{self.what} {code!r}")
        return errors


class Positions:
    """The operator positions."""

    key = catalogue.POSITIONS
    what = "position"
    model = Position
    fields: Sequence[Field] = (Field("name"), Field("scope"), Staffed("staffed"))
    defaults: Mapping[str, Any] = {"name": "", "scope": "", "staffed": None}
    links: tuple[str, ...] = ("scope",)
    revision = "rules"

    def check(self, plant: Plant) -> list[Error]:
        """Gives what is wrong with the positions."""
        errors = []
        for code, item in plant.lists.get(self.key, {}).items():
            values, what = values_of(item, self.defaults), f"{self.what} {code!r}"
            errors += item.errors(self.fields, catalogue.check_position(values, code), what)
            if values["scope"] and values["scope"] not in plant.assets:
                hint = suggestion(values["scope"], plant.assets)
                errors.append(Error(item.at(self.fields, "scope"), f"{what}: unknown asset {values['scope']!r}{hint}"))
        return errors
