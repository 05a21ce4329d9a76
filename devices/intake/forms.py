"""The three forms of a request's body: decoded to columns at once, or reading by reading where one is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, ValidationError

from devices.intake.times import clip

_NOT_A_FORM = (
    "expected one of the forms: {readings: [{sensor, time, value, quality}]}, {time, values: {sensor: value}} "
    "or a list of these, {series: [{sensor, times, values}]}"
)
_PLACE = re.compile(r" - at `(.*)`\Z")
_BYTE = re.compile(r" \(byte (\d+)\)\Z")


class Malformed(ValueError):
    """A body that is not JSON or none of the forms; `where` is a JSON path or a byte."""

    def __init__(self, error: str, where: str = "$") -> None:
        super().__init__(error)
        self.error = error
        self.where = where


class TooMany(ValueError):
    """A body with more readings than a request may carry."""


class Rejected(NamedTuple):
    """A reading that is not taken: its running number in the request, its sensor, why, and a word for the figures."""

    number: int
    sensor: str
    error: str
    reason: str


@dataclass(slots=True)
class Columns:
    """A request's readings as they were sent.

    A form that names a sensor or a time once for several readings has it here once, with their number in the counts.
    `words` is None where no reading has a quality; `index` is None where the readings are numbered 0, 1, 2 ...
    """

    tags: list[str]
    times: list[Any]  # text, number, or UNSET for the time of arrival
    values: list[float]
    words: list[Any] | None = None
    tag_counts: list[int] | None = None
    time_counts: list[int] | None = None
    index: list[int] | None = None
    rejected: list[Rejected] = field(default_factory=list)


# --- The straight way ------------------------------------------------------------------------------------------------

_Number = float | bool
_Time = int | float | str | UnsetType


class _Reading(Struct, forbid_unknown_fields=True, gc=False):
    sensor: str
    value: _Number
    time: _Time = UNSET
    quality: str | UnsetType = UNSET


class _Moment(Struct, forbid_unknown_fields=True, gc=False):
    values: dict[str, _Number]
    time: _Time = UNSET


class _Series(Struct, forbid_unknown_fields=True, gc=False):
    sensor: str
    times: list[int | float | str]
    values: list[_Number]


class _Body(Struct, forbid_unknown_fields=True, gc=False):
    readings: list[_Reading] | UnsetType = UNSET
    values: dict[str, _Number] | UnsetType = UNSET
    time: _Time = UNSET
    series: list[_Series] | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Body | list[_Moment]).decode


def columns(body: bytes, most: int) -> Columns:
    """Gives a body's readings as columns.

    Raises: Malformed, TooMany.
    """
    try:
        found = _decode(body)
    except ValidationError:
        return _one_by_one(body, most)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error) from None
    if type(found) is list:
        return _of_moments(found, most)
    assert isinstance(found, _Body)
    _check_form(found)
    if found.values is not UNSET:
        count = _at_most(len(found.values), most)
        return Columns(list(found.values), [found.time], list(found.values.values()), time_counts=[count])
    if found.readings is not UNSET:
        readings = found.readings
        _at_most(len(readings), most)
        words: list[Any] = [reading.quality for reading in readings]
        return Columns(
            [reading.sensor for reading in readings],
            [reading.time for reading in readings],
            [reading.value for reading in readings],
            None if words.count(UNSET) == len(words) else words,
        )
    assert found.series is not UNSET
    return _of_series(found.series, most)


def _of_moments(moments: list[_Moment], most: int) -> Columns:
    counts = [len(moment.values) for moment in moments]
    _at_most(sum(counts), most)
    return Columns(
        [tag for moment in moments for tag in moment.values],
        [moment.time for moment in moments],
        [value for moment in moments for value in moment.values.values()],
        time_counts=counts,
    )


def _of_series(series: list[_Series], most: int) -> Columns:
    counts = [len(one.values) for one in series]
    _at_most(sum(counts), most)
    for place, one in enumerate(series):
        _check_lengths(place, one.sensor, len(one.times), len(one.values))
    return Columns(
        [one.sensor for one in series],
        [time for one in series for time in one.times],
        [value for one in series for value in one.values],
        tag_counts=counts,
    )


def _at_most(count: int, most: int) -> int:
    if count > most:
        raise TooMany
    return count


def _check_form(body: _Body | _LooseBody) -> None:
    """Raises: Malformed where a body has no form, or two."""
    forms = [name for name in ("readings", "values", "series") if getattr(body, name) is not UNSET]
    if len(forms) != 1:
        raise Malformed(f"found {' and '.join(forms)} together; {_NOT_A_FORM}" if forms else _NOT_A_FORM)
    if forms != ["values"] and body.time is not UNSET:
        raise Malformed(f"time does not stand beside {forms[0]}; {_NOT_A_FORM}", "$.time")


def _check_lengths(place: int, tag: str, times: int, values: int) -> None:
    if times != values:
        raise Malformed(f"series of {clip(tag)} has {times} times and {values} values", f"$.series[{place}]")


def _not_json(error: Exception) -> Malformed:
    if isinstance(error, RecursionError):
        return Malformed("the JSON is nested too deep")
    if isinstance(error, UnicodeDecodeError):
        return Malformed("not JSON: a text is not UTF-8")
    text = str(error)
    byte = _BYTE.search(text)
    what = _BYTE.sub("", text).removeprefix("JSON is malformed: ")
    return Malformed(f"not JSON: {what}", f"byte {byte[1]}" if byte else "end")


# --- Reading by reading ----------------------------------------------------------------------------------------------


class _LooseMoment(Struct, forbid_unknown_fields=True):
    values: dict[str, Raw]
    time: Raw | UnsetType = UNSET


class _LooseSeries(Struct, forbid_unknown_fields=True):
    sensor: str
    times: list[Raw]
    values: list[Raw]


class _LooseBody(Struct, forbid_unknown_fields=True):
    readings: list[Raw] | UnsetType = UNSET
    values: dict[str, Raw] | UnsetType = UNSET
    time: Raw | UnsetType = UNSET
    series: list[_LooseSeries] | UnsetType = UNSET


_decode_loosely = msgspec.json.Decoder(_LooseBody | list[_LooseMoment]).decode
_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_leaf = msgspec.json.Decoder().decode
_BEYOND = object()
_KINDS = {type(None): "null", bool: "true or false", str: "text", int: "a number", float: "a number"}
_FIELDS = {"sensor", "time", "value", "quality"}


class _Refused(Exception):
    """One reading is not taken."""

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(error)
        self.reason = reason


def _one_by_one(body: bytes, most: int) -> Columns:
    """Gives the readings that can be understood, and of the others which and why."""
    try:
        found = _decode_loosely(body)
        if type(found) is list:
            return _loose_moments(found, most)
        assert isinstance(found, _LooseBody)
        _check_form(found)
        if found.readings is not UNSET:
            return _loose_readings(found.readings, most)
        if found.values is not UNSET:
            return _loose_moments([_LooseMoment(found.values, found.time)], most)
        assert found.series is not UNSET
        return _loose_series(found.series, most)
    except ValidationError as error:
        text = str(error)
        place = _PLACE.search(text)
        what = _PLACE.sub("", text)
        raise Malformed(f"{what[:1].lower()}{what[1:]}; {_NOT_A_FORM}", place[1] if place else "$") from None
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error) from None


class _Collector:
    """Numbers readings as they come and parts the good from the bad."""

    def __init__(self) -> None:
        self._words: list[Any] = []
        self._index: list[int] = []
        self.columns = Columns([], [], [], words=self._words, index=self._index)
        self._number = 0

    def add(self, tag: str, time: Raw | UnsetType, value: Raw) -> None:
        """Takes the next reading of a form that names its parts by their place."""
        try:
            self._good(tag, _time(time), _value(value), UNSET)
        except _Refused as refused:
            self._bad(tag, refused)

    def add_fields(self, raw: Raw) -> None:
        """Takes the next reading of the first form."""
        tag = ""
        try:
            fields = _fields(raw)
            tag = _tag(fields)
            self._good(tag, *_parts(fields))
        except _Refused as refused:
            self._bad(tag, refused)

    def _good(self, tag: str, time: Any, value: float, word: Any) -> None:
        self.columns.tags.append(tag)
        self.columns.times.append(time)
        self.columns.values.append(value)
        self._words.append(word)
        self._index.append(self._number)
        self._number += 1

    def _bad(self, tag: str, refused: _Refused) -> None:
        self.columns.rejected.append(Rejected(self._number, tag, str(refused), refused.reason))
        self._number += 1


def _loose_readings(readings: list[Raw], most: int) -> Columns:
    _at_most(len(readings), most)
    collector = _Collector()
    for raw in readings:
        collector.add_fields(raw)
    return collector.columns


def _loose_moments(moments: list[_LooseMoment], most: int) -> Columns:
    _at_most(sum(len(moment.values) for moment in moments), most)
    collector = _Collector()
    for moment in moments:
        for tag, value in moment.values.items():
            collector.add(tag, moment.time, value)
    return collector.columns


def _loose_series(series: list[_LooseSeries], most: int) -> Columns:
    _at_most(sum(len(one.values) for one in series), most)
    collector = _Collector()
    for place, one in enumerate(series):
        _check_lengths(place, one.sensor, len(one.times), len(one.values))
        for time, value in zip(one.times, one.values, strict=True):
            collector.add(one.sensor, time, value)
    return collector.columns


def _fields(raw: Raw) -> dict[str, Raw]:
    try:
        return _decode_fields(raw)
    except ValidationError:
        raise _Refused("a reading must be an object with sensor, time, value and quality", "form") from None


def _tag(fields: dict[str, Raw]) -> str:
    if "sensor" not in fields:
        raise _Refused("the reading has no sensor", "form")
    tag = _leaf(fields["sensor"])
    if not isinstance(tag, str):
        raise _Refused(f"sensor must be text, not {_kind(tag)}", "form")
    return tag


def _parts(fields: dict[str, Raw]) -> tuple[Any, float, Any]:
    """Gives time, value and quality of a reading of the first form. Raises: _Refused."""
    unknown = sorted(fields.keys() - _FIELDS)
    if unknown:
        raise _Refused(f"unknown field {clip(unknown[0])}; a reading has sensor, time, value and quality", "form")
    if "value" not in fields:
        raise _Refused("the reading has no value", "form")
    word = _leaf(fields["quality"]) if "quality" in fields else UNSET
    if word is not UNSET and not isinstance(word, str):
        raise _Refused(f"quality must be good, uncertain or bad, not {_kind(word)}", "quality")
    return _time(fields.get("time", UNSET)), _value(fields["value"]), word


def _leaf(raw: Raw) -> Any:
    """Gives a value as Python has it; _BEYOND for a number that float64 cannot hold."""
    try:
        return _decode_leaf(raw)
    except ValidationError:
        return _BEYOND


def _kind(value: Any) -> str:
    if value is _BEYOND:
        return "a number beyond the range of float64"
    return _KINDS.get(type(value), "a list" if isinstance(value, list) else "an object")


def _value(raw: Raw) -> float:
    """Gives a value; true and false count as 1 and 0. Raises: _Refused."""
    value = _leaf(raw)
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            value = _BEYOND
    if value is _BEYOND:
        raise _Refused("value is beyond the range of float64", "value")
    shown = f' ("{clip(value)}")' if isinstance(value, str) else ""
    raise _Refused(f"value must be a number, not {_kind(value)}{shown}", "value")


def _time(raw: Raw | UnsetType) -> Any:
    """Gives a time as it was sent. Raises: _Refused where it is of another kind than text or number."""
    if raw is UNSET:
        return UNSET
    time = _leaf(raw)
    if isinstance(time, bool) or not isinstance(time, (str, int, float)):
        advice = "; leave it out for the time of arrival" if time is None else ""
        raise _Refused(f"time must be ISO 8601 text or a number of milliseconds, not {_kind(time)}{advice}", "time")
    return time
