"""The life of an alarm as a table: states and events in, the next state and what follows from it out.

Source: ISA-18.2 / IEC 62682. The core state (A to F) says how the alarm stands; three switches (shelved, suppressed by
design, out of service) say whether it is presented. A suppressed alarm is judged and recorded all the same.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final


class Letter(StrEnum):
    """A state as the standard letters it; G, H and I are shown while a switch is on, the core is A to F."""

    NORMAL = "A"
    UNACKED = "B"
    ACKED = "C"
    RETURNED = "D"
    LATCHED_UNACKED = "E"
    LATCHED_ACKED = "F"
    SHELVED = "G"
    SUPPRESSED = "H"
    OUT_OF_SERVICE = "I"


A, B, C, D, E, F, G, H, I = Letter  # noqa: E741  # the standard's own letters
CORE: Final = (A, B, C, D, E, F)
ACTIVE: Final = frozenset({B, C})  # the condition holds
WAITING: Final = frozenset({B, D, E})  # for an acknowledgement
SOUNDING: Final = frozenset({B, E})  # the horn is on until somebody answers
NOT_PRESENTED: Final = frozenset({G, H, I})
LONGEST_SHELVING: Final = timedelta(hours=12)  # where neither rule nor plant say otherwise


class Event(StrEnum):
    """What happens to an alarm; the values are the journal's words."""

    RAISE = "raise"
    CLEAR = "clear"
    ACK = "ack"
    RESET = "reset"
    REALARM = "realarm"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    EXPIRE = "expire"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    OUT_OF_SERVICE = "out_of_service"
    RETURN = "return_to_service"
    SILENCE = "silence"
    COMMENT = "comment"


class Effect(StrEnum):
    """What a step asks its caller to do."""

    JOURNAL = "journal"  # write one row
    ANNUNCIATE = "annunciate"  # present it: sound, notice, one more in the figures
    NEW_OCCURRENCE = "new_occurrence"  # open a new alarm; every later event refers to it
    SUPERSEDE = "supersede"  # close the old occurrence, which nobody acknowledged, without a row
    CLOSE = "close"  # this occurrence is over
    STOP_HORN = "stop_horn"


class Switch(StrEnum):
    """A reason for which an alarm is not presented, as alarms and their API name it."""

    SHELVED = "shelved"
    BY_DESIGN = "by_design"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the rule and the plant lay down for an alarm."""

    ack_required: bool = True
    latching: bool = False
    realarm: bool = False  # a re-alarm period is set
    reset_before_ack: bool = False  # a latch may be reset before anybody acknowledged it
    shelvable: bool = True
    longest_shelving: timedelta = LONGEST_SHELVING

    @classmethod
    def of(cls, frozen: Mapping[str, Any]) -> "Policy":
        """Gives the policy of an alarm's frozen rule."""
        longest = frozen.get("longest_shelving")
        return cls(
            ack_required=bool(frozen.get("ack_required", True)),
            latching=bool(frozen.get("latching", False)),
            realarm=frozen.get("realarm") is not None,
            reset_before_ack=bool(frozen.get("reset_before_ack", False)),
            shelvable=bool(frozen.get("shelvable", True)),
            longest_shelving=LONGEST_SHELVING if longest is None else timedelta(seconds=float(longest)),
        )


@dataclass(frozen=True, slots=True)
class Life:
    """Where an alarm stands."""

    core: Letter = A
    switches: frozenset[Switch] = frozenset()
    shelved_until: datetime | None = None
    one_shot: bool = False  # shelving ends with the current or next active period
    heard: bool = True  # this occurrence was annunciated at least once

    @classmethod
    def of(cls, core: str, switches: Iterable[str] = (), *, annunciations: int = 1) -> "Life":
        """Gives the life that a stored alarm stands for."""
        return cls(core=Letter(core), switches=frozenset(map(Switch, switches)), heard=annunciations > 0)

    @property
    def active(self) -> bool:
        """Tells whether the condition holds, presented or not."""
        return self.core in ACTIVE

    @property
    def letter(self) -> Letter:
        """Gives the state to show: out of service before suppressed by design before shelved before the core."""
        return next((letter for switch, letter in _SHOWN if switch in self.switches), self.core)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a life: where it came from, where it stands now, what follows. Without JOURNAL nothing happened."""

    life: Life
    effects: frozenset[Effect]
    before: Letter
    after: Letter
    reason: str


class IllegalEvent(Exception):
    """The event is not possible in this state; the state stays, the attempt belongs in the journal."""

    def __init__(self, state: Letter, event: Event, reason: str) -> None:
        super().__init__(f"{event} is not possible in state {state}: {reason}")
        self.state = state
        self.event = event
        self.reason = reason


NORMAL: Final = Life()
_SHOWN: Final = ((Switch.OUT_OF_SERVICE, I), (Switch.BY_DESIGN, H), (Switch.SHELVED, G))

# --- The tables ----------------------------------------------------------------------------------------------------
# A cell is a list of rows; the first whose guard holds decides. A row names the next core state, or refuses (None).
Guard = Callable[[Policy, Life], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a cell."""

    guard: Guard
    to: Letter | None
    effects: frozenset[Effect]
    reason: str


Table = Mapping[tuple[Letter, Event], tuple[Row, ...]]


def _always(policy: Policy, life: Life) -> bool:
    return True


def _ack_required(policy: Policy, life: Life) -> bool:
    return policy.ack_required


def _latching(policy: Policy, life: Life) -> bool:
    return policy.latching


def _realarm(policy: Policy, life: Life) -> bool:
    return policy.realarm


def _reset_before_ack(policy: Policy, life: Life) -> bool:
    return policy.reset_before_ack


def _unheard(policy: Policy, life: Life) -> bool:
    return not life.heard


def _go(to: Letter, reason: str, *effects: Effect, when: Guard = _always) -> Row:
    return Row(when, to, frozenset((Effect.JOURNAL, *effects)), reason)


def _stay(letter: Letter, reason: str) -> tuple[Row, ...]:
    return (Row(_always, letter, frozenset(), reason),)


def _refuse(reason: str, when: Guard = _always) -> Row:
    return Row(when, None, frozenset(), reason)


_NEW = (Effect.NEW_OCCURRENCE, Effect.ANNUNCIATE)
_NO_PERIOD = _refuse("no re-alarm period is set")
_AGAIN = _go(B, "still active after the re-alarm period", Effect.ANNUNCIATE, when=_realarm)

PRESENTED: Final[Table] = {
    (A, Event.RAISE): (
        _go(B, "became active", *_NEW, when=_ack_required),
        _go(C, "became active; its rule asks for no acknowledgement", *_NEW),
    ),
    (A, Event.CLEAR): _stay(A, "normal already"),
    (A, Event.ACK): (_refuse("not active"),),
    (A, Event.RESET): (_refuse("not latched"),),
    (A, Event.REALARM): (_NO_PERIOD,),
    (B, Event.RAISE): _stay(B, "active already, same occurrence"),
    (B, Event.CLEAR): (
        _go(E, "returned to normal, latched until it is reset", when=_latching),
        _go(D, "returned to normal, not acknowledged yet", when=_ack_required),
        _go(A, "returned to normal", Effect.CLOSE),
    ),
    (B, Event.ACK): (_go(C, "acknowledged"),),
    (B, Event.RESET): (_refuse("still active"),),
    (B, Event.REALARM): (_AGAIN, _NO_PERIOD),
    (C, Event.RAISE): _stay(C, "active already, same occurrence"),
    (C, Event.CLEAR): (
        _go(F, "returned to normal, latched until it is reset", when=_latching),
        _go(A, "returned to normal", Effect.CLOSE),
    ),
    (C, Event.ACK): _stay(C, "acknowledged already"),
    (C, Event.RESET): (_refuse("still active"),),
    (C, Event.REALARM): (_AGAIN, _NO_PERIOD),
    (D, Event.RAISE): (_go(B, "became active again before anybody acknowledged", Effect.SUPERSEDE, *_NEW),),
    (D, Event.CLEAR): _stay(D, "returned to normal already"),
    (D, Event.ACK): (_go(A, "acknowledged after it returned to normal", Effect.CLOSE),),
    (D, Event.RESET): (_refuse("not latched"),),
    (E, Event.RAISE): (_go(B, "became active again while latched", Effect.ANNUNCIATE),),
    (E, Event.CLEAR): _stay(E, "returned to normal already"),
    (E, Event.ACK): (_go(F, "acknowledged, latched until it is reset"),),
    (E, Event.RESET): (
        _go(D, "reset before anybody acknowledged", when=_reset_before_ack),
        _refuse("not acknowledged yet"),
    ),
    (F, Event.RAISE): (_go(B, "became active again while latched", Effect.ANNUNCIATE),),
    (F, Event.CLEAR): _stay(F, "returned to normal already"),
    (F, Event.ACK): _stay(F, "acknowledged already"),
    (F, Event.RESET): (_go(A, "reset", Effect.CLOSE),),
    **{
        (core, Event.REALARM): (
            Row(_realarm, core, frozenset(), "the condition does not hold"),
            _NO_PERIOD,
        )
        for core in (A, D, E, F)
    },
    **{(core, Event.SILENCE): (_go(core, "silenced", Effect.STOP_HORN),) for core in CORE},
    **{(core, Event.COMMENT): (_go(core, "commented"),) for core in CORE},
}

# While a switch is on: recorded, not announced. An alarm that returns to normal unseen asks nobody to acknowledge it,
# but a latch that tripped unseen holds.
HIDDEN: Final[Table] = {
    (A, Event.RAISE): (
        _go(B, "became active, not announced", Effect.NEW_OCCURRENCE, when=_ack_required),
        _go(C, "became active, not announced", Effect.NEW_OCCURRENCE),
    ),
    (B, Event.RAISE): _stay(B, "active already, same occurrence"),
    (C, Event.RAISE): _stay(C, "active already, same occurrence"),
    (D, Event.RAISE): (_go(B, "became active, not announced", Effect.SUPERSEDE, Effect.NEW_OCCURRENCE),),
    (E, Event.RAISE): (_go(B, "became active, not announced"),),
    (F, Event.RAISE): (_go(B, "became active, not announced"),),
    **{
        (core, Event.CLEAR): (
            _go(E, "returned to normal, latched until it is reset", when=_latching),
            _go(A, "returned to normal", Effect.CLOSE),
        )
        for core in (B, C)
    },
    **{(core, Event.CLEAR): _stay(core, "normal already") for core in (A, D, E, F)},
    **{(core, Event.ACK): (_refuse("it is not presented"),) for core in CORE},
    **{(core, Event.RESET): (_refuse("it is not presented"),) for core in CORE},
    **{(core, Event.REALARM): _stay(core, "it is not presented") for core in CORE},
    **{(core, Event.SILENCE): (_go(core, "silenced", Effect.STOP_HORN),) for core in CORE},
    **{(core, Event.COMMENT): (_go(core, "commented"),) for core in CORE},
}

# When the last switch goes off. What holds is announced; what nobody has heard of is announced even where it would
# else be silent; what returned is over; a latch stays until it is reset by hand.
RELEASE: Final[Mapping[Letter, tuple[Row, ...]]] = {
    A: (_go(A, "normal"),),
    **{
        core: (
            _go(B, "presented again, the condition holds", Effect.ANNUNCIATE, when=_ack_required),
            _go(C, "presented again, the condition holds", Effect.ANNUNCIATE, when=_unheard),
            _go(C, "presented again, the condition holds"),
        )
        for core in (B, C)
    },
    D: (_go(A, "returned to normal before", Effect.CLOSE),),
    E: (
        _go(E, "presented again, tripped meanwhile and latched", Effect.ANNUNCIATE, when=_unheard),
        _go(E, "presented again, still latched"),
    ),
    F: (_go(F, "presented again, still latched"),),
}

# Which switch an event turns, which way, and what is said where it stands so already.
SWITCHES: Final[Mapping[Event, tuple[Switch, bool, str, str]]] = {
    Event.SHELVE: (Switch.SHELVED, True, "shelved", "shelved already"),
    Event.UNSHELVE: (Switch.SHELVED, False, "unshelved", "not shelved"),
    Event.EXPIRE: (Switch.SHELVED, False, "shelving ran out", "not shelved"),
    Event.SUPPRESS: (Switch.BY_DESIGN, True, "suppressed by design", "suppressed already"),
    Event.UNSUPPRESS: (Switch.BY_DESIGN, False, "no longer suppressed by design", "not suppressed by design"),
    Event.OUT_OF_SERVICE: (Switch.OUT_OF_SERVICE, True, "taken out of service", "out of service already"),
    Event.RETURN: (Switch.OUT_OF_SERVICE, False, "returned to service", "not out of service"),
}


@dataclass(frozen=True, slots=True)
class _Request:
    """What the checks of a switching event look at."""

    life: Life
    policy: Policy
    now: datetime
    reason: str
    until: datetime | None


def _too_long(request: _Request) -> bool:
    return request.until is not None and request.until - request.now > request.policy.longest_shelving


# What must not be so; the words are the refusal.
CHECKS: Final[Mapping[Event, tuple[tuple[Callable[[_Request], bool], str], ...]]] = {
    Event.SHELVE: (
        (lambda request: not request.policy.shelvable, "its rule may not be shelved"),
        (lambda request: not request.reason.strip(), "shelving needs a reason"),
        (lambda request: request.until is None, "shelving needs an end"),
        (lambda request: request.until is not None and request.until <= request.now, "its end lies in the past"),
        (_too_long, "longer than this alarm may be shelved"),
    ),
    Event.EXPIRE: (
        (
            lambda request: request.life.shelved_until is not None and request.now < request.life.shelved_until,
            "its time is not over",
        ),
    ),
    Event.SUPPRESS: ((lambda request: not request.reason.strip(), "suppression needs the logic that asks for it"),),
    Event.OUT_OF_SERVICE: ((lambda request: not request.reason.strip(), "out of service needs a reason"),),
}


def step(
    life: Life,
    event: Event,
    *,
    policy: Policy,
    now: datetime,
    reason: str = "",
    until: datetime | None = None,
    one_shot: bool = False,
) -> Step:
    """Puts one event to an alarm.

    Takes: `reason` in words, needed to shelve, suppress or take out of service; `until` and `one_shot` to shelve.
    Gives: the step; its reason is the given one, else the table's.
    Raises: IllegalEvent, which names state and event.
    """
    if event in SWITCHES:
        return _turn(life, event, _Request(life, policy, now, reason, until), one_shot)
    row = _decide((HIDDEN if life.switches else PRESENTED)[life.core, event], policy, life)
    if row.to is None:
        raise IllegalEvent(life.letter, event, row.reason)
    after, effects, why = _apply(life, row), row.effects, row.reason
    if event is Event.CLEAR and life.one_shot and Effect.JOURNAL in effects:
        after, released = _unshelved(after, policy)
        effects |= released
    return _result(life, after, effects, reason or why)


def _turn(life: Life, event: Event, request: _Request, one_shot: bool) -> Step:
    """Turns a switch on or off."""
    switch, on, why, already = SWITCHES[event]
    if (switch in life.switches) is on:
        raise IllegalEvent(life.letter, event, already)
    for fails, words in CHECKS.get(event, ()):
        if fails(request):
            raise IllegalEvent(life.letter, event, words)
    effects = frozenset({Effect.JOURNAL})
    if event is Event.SHELVE:
        after = replace(life, switches=life.switches | {switch}, shelved_until=request.until, one_shot=one_shot)
    elif on:
        after = replace(life, switches=life.switches | {switch})
    elif switch is Switch.SHELVED:
        after, released = _unshelved(life, request.policy)
        effects |= released
    else:
        after, released = _released(replace(life, switches=life.switches - {switch}), request.policy)
        effects |= released
    return _result(life, after, effects, request.reason or why)


def _unshelved(life: Life, policy: Policy) -> tuple[Life, frozenset[Effect]]:
    """Ends shelving."""
    free = replace(life, switches=life.switches - {Switch.SHELVED}, shelved_until=None, one_shot=False)
    return _released(free, policy)


def _released(life: Life, policy: Policy) -> tuple[Life, frozenset[Effect]]:
    """Presents an alarm whose last switch went off; one that another switch still hides stays as it is."""
    if life.switches:
        return life, frozenset()
    row = _decide(RELEASE[life.core], policy, life)
    return _apply(life, row), row.effects


def _decide(rows: tuple[Row, ...], policy: Policy, life: Life) -> Row:
    """Gives the first row whose guard holds; the last row of every cell holds always."""
    return next(row for row in rows if row.guard(policy, life))


def _apply(life: Life, row: Row) -> Life:
    """Moves the core and remembers whether anybody has heard of this occurrence."""
    assert row.to is not None
    if Effect.ANNUNCIATE in row.effects or row.to is A:
        heard = True
    elif Effect.NEW_OCCURRENCE in row.effects:
        heard = False
    else:
        heard = life.heard
    return replace(life, core=row.to, heard=heard)


def _result(before: Life, after: Life, effects: frozenset[Effect], reason: str) -> Step:
    """Completes a step: a horn that was on and has nothing left to sound for stops."""
    if before.letter in SOUNDING and after.letter not in SOUNDING:
        effects |= {Effect.STOP_HORN}
    return Step(after, effects, before.letter, after.letter, reason)
