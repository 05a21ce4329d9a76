"""A machine's key values: the few figures that stand for it where there is no room for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.models import Alarm, Rule, RuleInput
from alerts.silence.queries import Silent
from devices.models import Sensor
from devices.telemetry.latest import Latest
from devices.topology import STATE_QUANTITY
from plant.drawing import Shown, scale_of
from plant.pages.reading import newest, shown
from plant.pages.tree import Node

KEY_VALUES = 3  # on a card and in a tip


@dataclass(frozen=True, slots=True)
class KeyValues:
    """What stands for a machine."""

    sensors: Sequence[Sensor]
    values: Sequence[Shown]  # of each of them
    first: int | None  # the place among them of what is looked at first: in the worst alarm, else the first
    alarms: Mapping[int, Alarm]  # the worst one of each sensor
    teller: Sensor | None  # tells the machine's state


def read_by(assets: Iterable[int]) -> tuple[list[Rule], dict[int, list[Rule]]]:
    """Gives the rules of some assets, and of each sensor those that read it first. Cost: two queries."""
    rules = list(Rule.objects.filter(asset__in=list(assets), enabled=True).order_by("priority", "pk"))
    by_number = {rule.pk: rule for rule in rules}
    reads: dict[int, list[Rule]] = {}
    inputs = RuleInput.objects.filter(rule__in=by_number, place=0).order_by("rule_id")
    for sensor, rule in inputs.values_list("sensor_id", "rule_id"):
        reads.setdefault(sensor, []).append(by_number[rule])
    return rules, reads


def teller_of(sensors: Iterable[Sensor]) -> Sensor | None:
    """Gives the sensor that tells the machine's state."""
    return next((sensor for sensor in sensors if sensor.quantity == STATE_QUANTITY and sensor.labels), None)


def figures_of(sensors: Iterable[Sensor], reads: Mapping[int, Sequence[Rule]]) -> list[Sensor]:
    """Gives the figures among some sensors: the first with rules, then the rest in order."""
    figures = [sensor for sensor in sensors if not sensor.labels]
    return sorted(figures, key=lambda sensor: sensor.pk not in reads)


def of_machines(
    machines: Sequence[Node],
    alarms: Mapping[int, Sequence[Alarm]],
    silent: Mapping[str, Silent],
    now: datetime,
    *,
    readings: Mapping[int, Latest] | None = None,
) -> dict[int, KeyValues]:
    """Gives the key values of some machines.

    Takes: their open alarms, the worst first; what is not heard; the newest readings, where they are read already.
    Cost: three queries for any number of machines, and one round trip to Redis without the readings.
    """
    machine_of = {part.pk: machine.pk for machine in machines for part in machine.walk()}
    found = list(Sensor.objects.filter(asset__in=machine_of).select_related("asset").order_by("asset_id", "pk"))
    by_machine: dict[int, list[Sensor]] = {}
    for sensor in found:
        by_machine.setdefault(machine_of[sensor.asset_id], []).append(sensor)
    _rules, reads = read_by(machine_of)
    known = newest(found) if readings is None else readings

    def drawn(sensor: Sensor, alarm: Alarm | None) -> Shown:
        unknown = sensor.asset.code in silent or sensor.tag in silent
        scale = scale_of(sensor, reads.get(sensor.pk, []))
        return shown(sensor, known.get(sensor.pk), now, scale=scale, alarm=alarm, unknown=unknown)

    def one(machine: Node) -> KeyValues:
        sensors = by_machine.get(machine.pk, [])
        own = alarms.get(machine.pk, ())
        worst = {alarm.sensor_id: alarm for alarm in reversed(own) if alarm.sensor_id}
        chosen, first = _chosen(figures_of(sensors, reads), own)
        values = [drawn(sensor, worst.get(sensor.pk)) for sensor in chosen]
        return KeyValues(chosen, values, first, worst, teller_of(sensors))

    return {machine.pk: one(machine) for machine in machines}


def _chosen(figures: Sequence[Sensor], alarms: Sequence[Alarm]) -> tuple[list[Sensor], int | None]:
    """Gives the key values among ranked figures, and the place of the first to look at.

    They keep their place. One in an alarm that is not among them takes the last.
    """
    chosen = list(figures[:KEY_VALUES])
    known = {sensor.pk: sensor for sensor in figures}
    worst = next((known[alarm.sensor_id] for alarm in alarms if alarm.sensor_id in known), None)
    if worst is not None and worst not in chosen:
        chosen[-1:] = [worst]
    if not chosen:
        return [], None
    return chosen, 0 if worst is None else chosen.index(worst)
