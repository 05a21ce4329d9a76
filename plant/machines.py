"""A machine as the screens see it: its state in one of six words, and how fresh its data is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from devices.labels import label_key

OFFLINE_AFTER = 120.0  # seconds without a reading
STALE_AFTER_INTERVALS = 3
STALE_AT_LEAST = 5.0  # seconds


class Kind(StrEnum):
    """How a machine's hexagon looks."""

    RUNNING = "running"
    IDLE = "idle"
    STOPPED = "stopped"
    FAULT = "fault"
    REPORTING = "reporting"  # fresh readings, but no sensor that tells its state
    OFFLINE = "offline"


KIND_WORDS = {
    Kind.RUNNING: _("running"),
    Kind.IDLE: _("idle"),
    Kind.STOPPED: _("stopped"),
    Kind.FAULT: _("fault"),
    Kind.REPORTING: _("reporting"),
    Kind.OFFLINE: _("offline"),
}

NO_DATA = _("no data")  # of a machine that is not heard though it may well run

# PackML's states (ISA-TR88.00.02) and the plain words that plants use for them.
_WORDS = {
    Kind.RUNNING: (
        "execute", "executing", "starting", "completing", "running", "run", "on", "producing", "production", "active",
        "working", "open",
    ),
    Kind.IDLE: (
        "idle", "held", "holding", "unholding", "suspended", "suspending", "unsuspending", "resetting", "standby",
        "waiting", "ready", "blocked", "starved", "changeover", "setup", "unloaded",
    ),
    Kind.STOPPED: ("stopped", "stopping", "stop", "complete", "completed", "off", "closed", "maintenance", "service"),
    Kind.FAULT: ("aborted", "aborting", "clearing", "fault", "faulted", "faulty", "error", "failed", "failure", "trip",
                 "tripped", "alarm"),
}  # fmt: skip
_KIND_OF = {word: kind for kind, words in _WORDS.items() for word in words}


def kind_of(word: str) -> Kind:
    """Gives the kind for a state's word; a word that is not known only tells that the machine reports."""
    return _KIND_OF.get(word.strip().lower().replace("_", " "), Kind.REPORTING)


def state_words(labels: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Gives, for each value of a state sensor, its kind and its word."""
    return {str(value): (str(kind_of(str(word))), str(word)) for value, word in labels.items()}


def stale_after(interval: float | None) -> float | None:
    """Gives the seconds after which a reading is old, or None for a sensor that reports when it likes."""
    return None if interval is None else max(STALE_AFTER_INTERVALS * interval, STALE_AT_LEAST)


@dataclass(frozen=True, slots=True)
class Condition:
    """A machine at one moment."""

    kind: Kind
    word: str
    stale: bool
    newest: int | None  # µs since the epoch
    since: int | None  # of the state's reading


class After(NamedTuple):
    """The seconds without any reading after which a machine is judged anew; None for never."""

    stale: float | None
    offline: float | None


def judging(intervals: Iterable[float | None]) -> After:
    """Gives when a machine's data is old and when it counts as offline, by its sensors' intervals (s)."""
    fastest = min((interval for interval in intervals if interval is not None), default=None)
    offline = None if fastest is None else max(OFFLINE_AFTER, STALE_AFTER_INTERVALS * fastest)
    return After(stale_after(fastest), offline)


def condition(
    now_us: int,
    newest: int | None,
    after: After,
    state: tuple[int, float] | None,
    words: Mapping[str, tuple[str, str]],
    *,
    silent: bool = False,
) -> Condition:
    """Judges a machine.

    Takes: the newest reading's time of all its sensors (µs), when it is judged anew, its state sensor's reading
    (time in µs, value), what that sensor's values mean, and whether it lies below a part that is not heard.
    """
    since = state[0] if state else None
    if silent:
        return Condition(Kind.OFFLINE, str(NO_DATA), False, newest, since)
    if newest is None:
        return Condition(Kind.OFFLINE, str(KIND_WORDS[Kind.OFFLINE]), False, None, since)
    age = (now_us - newest) / 1e6
    if after.offline is not None and age > after.offline:
        return Condition(Kind.OFFLINE, str(KIND_WORDS[Kind.OFFLINE]), False, newest, since)
    stale = after.stale is not None and age > after.stale
    if state is None:
        return Condition(Kind.REPORTING, str(KIND_WORDS[Kind.REPORTING]), stale, newest, None)
    kind, word = words.get(label_key(state[1]), (Kind.REPORTING.value, label_key(state[1])))
    return Condition(Kind(kind), word, stale, newest, since)
