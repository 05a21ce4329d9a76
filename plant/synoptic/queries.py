"""What a drawing's bindings lead to in the plant, and which of them lead to nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from alerts.models import Rule
from devices.models import Asset, Sensor
from plant.synoptic.bindings import Binding
from plant.synoptic.cleaning import Remark


@dataclass(frozen=True, slots=True)
class Found:
    """What of the bindings is in the plant."""

    sensors: dict[str, Sensor]  # by tag, the asset loaded
    assets: set[str]
    rules: set[tuple[str, str]]  # code and name

    def problem(self, binding: Binding) -> str:
        """Gives the name of what a binding asks for and the plant does not have, or nothing."""
        code, tag, rule = binding.alarm_of
        for wanted in (binding.sensor, tag):
            if wanted and wanted not in self.sensors:
                return wanted
        for wanted in (binding.asset, code):
            if wanted and wanted not in self.assets:
                return wanted
        return binding.alarm if rule and (code, rule) not in self.rules else ""


def found(bindings: Sequence[Binding]) -> Found:
    """Looks up what bindings ask for. Cost: three queries, however many there are."""
    tags = {tag for one in bindings for tag in (one.sensor, one.alarm_of[1]) if tag}
    codes = {code for one in bindings for code in (*one.codes, one.near, one.alarm_of[0]) if code}
    rules = {(one.alarm_of[0], one.alarm_of[2]) for one in bindings if one.alarm_of[2]}
    owners = {tag.partition("/")[0] for tag in tags}
    sensors = Sensor.objects.filter(asset__code__in=owners).select_related("asset")
    named = Q(asset__code__in=[code for code, _rule in rules], name__in=[rule for _code, rule in rules])
    return Found(
        {sensor.tag: sensor for sensor in sensors if sensor.tag in tags},
        set(Asset.objects.filter(code__in=codes).values_list("code", flat=True)),
        set(Rule.objects.filter(named).values_list("asset__code", "name")) & rules,
    )


def remarks(bindings: Sequence[Binding]) -> list[Remark]:
    """Gives what is wrong with bindings, by themselves and against the plant as it is. Cost: as `found`."""
    here = found(bindings)
    return sorted(_remarks(bindings, here), key=lambda one: one.line)


def _remarks(bindings: Iterable[Binding], here: Found) -> Iterable[Remark]:
    for one in bindings:
        for words in one.problems:
            yield Remark(one.line, words)
        if wanted := here.problem(one):
            words = _("The plant has no %(name)s: the element is drawn as unknown.") % {"name": wanted}
            yield Remark(one.line, words)
            continue
        sensor = here.sensors.get(one.sensor)
        if sensor is None:
            continue
        if {"level", "rotate"} & set(one.ways) and one.range is None and sensor.range_low is None:
            words = _("%(tag)s has no range: give data-range, for example “0..100”.") % {"tag": one.sensor}
            yield Remark(one.line, words)
        if "fill" in one.ways and not one.when and not sensor.labels:
            words = _("%(tag)s is a number: say with data-when when the element is filled.") % {"tag": one.sensor}
            yield Remark(one.line, words)
        known = {str(word).lower() for word in sensor.labels.values()}
        for how, word, _upto in one.when:
            if how == "is" and str(word).lower() not in known:
                words = _("%(tag)s has no value that is called “%(word)s”.") % {"tag": one.sensor, "word": word}
                yield Remark(one.line, words)
