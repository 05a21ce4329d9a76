"""Every cell of both tables, written out a second time as the standard prints it."""

from datetime import timedelta

import pytest

from alerts.lifecycle import CORE, Effect, Event, IllegalEvent, Letter, Life, Policy, Switch, step

from .test_sequences import NOW, UNTIL

PLAIN = Policy()
LATCH = Policy(latching=True)
FREE = Policy(ack_required=False)
FREE_LATCH = Policy(ack_required=False, latching=True)
PERIOD = Policy(realarm=True)
EARLY = Policy(latching=True, reset_before_ack=True)

# state: RAISE CLEAR ACK RESET REALARM; . nothing happens, x refused, * announced, n new occurrence, / over
PRESENTED = [
    (PLAIN, "A", "B*n .   x   x   x"),
    (FREE, "A", "C*n .   x   x   x"),
    (LATCH, "A", "B*n .   x   x   x"),
    (PERIOD, "A", "B*n .   x   x   ."),
    (PLAIN, "B", ".   D   C   x   x"),
    (LATCH, "B", ".   E   C   x   x"),
    (FREE, "B", ".   A/  C   x   x"),
    (FREE_LATCH, "B", ".   E   C   x   x"),
    (PERIOD, "B", ".   D   C   x   B*"),
    (PLAIN, "C", ".   A/  .   x   x"),
    (LATCH, "C", ".   F   .   x   x"),
    (FREE, "C", ".   A/  .   x   x"),
    (FREE_LATCH, "C", ".   F   .   x   x"),
    (PERIOD, "C", ".   A/  .   x   B*"),
    (PLAIN, "D", "B*ns .  A/  x   x"),
    (PERIOD, "D", "B*ns .  A/  x   ."),
    (LATCH, "E", "B*  .   F   x   x"),
    (EARLY, "E", "B*  .   F   D   x"),
    (LATCH, "F", "B*  .   .   A/  x"),
    (EARLY, "F", "B*  .   .   A/  x"),
]
# the same while a switch is on: nothing announced, nobody answers
HIDDEN = [
    (PLAIN, "A", "Bn  .   x   x   ."),
    (FREE, "A", "Cn  .   x   x   ."),
    (PLAIN, "B", ".   A/  x   x   ."),
    (LATCH, "B", ".   E   x   x   ."),
    (FREE, "B", ".   A/  x   x   ."),
    (PLAIN, "C", ".   A/  x   x   ."),
    (LATCH, "C", ".   E   x   x   ."),
    (PERIOD, "C", ".   A/  x   x   ."),
    (PLAIN, "D", "Bns .   x   x   ."),
    (LATCH, "E", "B   .   x   x   ."),
    (EARLY, "E", "B   .   x   x   ."),
    (LATCH, "F", "B   .   x   x   ."),
]
COLUMNS = (Event.RAISE, Event.CLEAR, Event.ACK, Event.RESET, Event.REALARM)
MARKS = {"*": Effect.ANNUNCIATE, "n": Effect.NEW_OCCURRENCE, "s": Effect.SUPERSEDE, "/": Effect.CLOSE}


def cells(rows: list[tuple[Policy, str, str]]) -> list[tuple[Policy, str, Event, str]]:
    """Gives one case per cell."""
    return [
        (policy, state, event, cell)
        for policy, state, line in rows
        for event, cell in zip(COLUMNS, line.split(), strict=True)
    ]


def check(life: Life, event: Event, policy: Policy, cell: str) -> None:
    """Puts the event and compares core state and effects with the cell."""
    if cell == "x":
        with pytest.raises(IllegalEvent):
            step(life, event, policy=policy, now=NOW)
        return
    taken = step(life, event, policy=policy, now=NOW)
    if cell == ".":
        assert taken.life == life
        assert taken.effects == frozenset()
        return
    assert taken.life.core == cell[0]
    assert taken.effects - {Effect.STOP_HORN} == {Effect.JOURNAL} | {MARKS[mark] for mark in cell[1:]}
    assert taken.reason


@pytest.mark.parametrize(("policy", "state", "event", "cell"), cells(PRESENTED))
def test_cell_of_the_presented_alarm(policy: Policy, state: str, event: Event, cell: str) -> None:
    check(Life.of(state), event, policy, cell)


@pytest.mark.parametrize("switch", Switch)
@pytest.mark.parametrize(("policy", "state", "event", "cell"), cells(HIDDEN))
def test_cell_of_the_suppressed_alarm(policy: Policy, state: str, event: Event, cell: str, switch: Switch) -> None:
    life = Life.of(state, [switch])
    check(life, event, policy, cell)


@pytest.mark.parametrize("switches", [(), (Switch.SHELVED,), tuple(Switch)])
@pytest.mark.parametrize("event", [Event.SILENCE, Event.COMMENT])
@pytest.mark.parametrize("core", CORE)
def test_anybody_may_silence_and_comment_in_any_state(core: Letter, event: Event, switches: tuple[Switch, ...]) -> None:
    life = Life.of(core, switches)
    taken = step(life, event, policy=PLAIN, now=NOW)
    assert taken.life == life
    assert taken.effects == {Effect.JOURNAL} | ({Effect.STOP_HORN} if event is Event.SILENCE else set())


SWITCHING = [
    (Event.SHELVE, Event.UNSHELVE, Switch.SHELVED, "G"),
    (Event.SHELVE, Event.EXPIRE, Switch.SHELVED, "G"),
    (Event.SUPPRESS, Event.UNSUPPRESS, Switch.BY_DESIGN, "H"),
    (Event.OUT_OF_SERVICE, Event.RETURN, Switch.OUT_OF_SERVICE, "I"),
]


@pytest.mark.parametrize(("on", "off", "switch", "letter"), SWITCHING)
@pytest.mark.parametrize("core", CORE)
def test_every_state_can_be_suppressed_once(core: Letter, on: Event, off: Event, switch: Switch, letter: str) -> None:
    taken = step(Life.of(core), on, policy=PLAIN, now=NOW, reason="overhaul", until=UNTIL)
    assert (taken.before, taken.after, taken.life.core) == (core, letter, core)
    assert taken.effects - {Effect.STOP_HORN} == {Effect.JOURNAL}
    with pytest.raises(IllegalEvent) as twice:
        step(taken.life, on, policy=PLAIN, now=NOW, reason="overhaul", until=UNTIL)
    assert twice.value.state == letter
    with pytest.raises(IllegalEvent):
        step(Life.of(core), off, policy=PLAIN, now=UNTIL)


@pytest.mark.parametrize(("on", "off", "switch", "letter"), SWITCHING)
@pytest.mark.parametrize(
    ("policy", "core", "heard", "after", "announced"),
    [
        (PLAIN, "A", True, "A", False),
        (PLAIN, "B", True, "B", True),
        (PLAIN, "C", True, "B", True),
        (FREE, "B", True, "C", False),
        (FREE, "C", True, "C", False),
        (FREE, "C", False, "C", True),
        (PLAIN, "D", True, "A", False),
        (LATCH, "E", True, "E", False),
        (LATCH, "E", False, "E", True),
        (LATCH, "F", True, "F", False),
    ],
)
def test_end_of_the_last_suppression_presents_what_holds(
    on: Event,
    off: Event,
    switch: Switch,
    letter: str,
    policy: Policy,
    core: str,
    heard: bool,
    after: str,
    announced: bool,
) -> None:
    life = Life.of(core, [switch], annunciations=int(heard))
    taken = step(life, off, policy=policy, now=UNTIL)
    assert (taken.before, taken.after) == (letter, after)
    assert (Effect.ANNUNCIATE in taken.effects) is announced
    assert (Effect.CLOSE in taken.effects) is (core == "D")
    assert not taken.life.switches


@pytest.mark.parametrize(
    ("switches", "letter"),
    [
        ([Switch.SHELVED, Switch.BY_DESIGN, Switch.OUT_OF_SERVICE], "I"),
        ([Switch.BY_DESIGN, Switch.OUT_OF_SERVICE], "I"),
        ([Switch.SHELVED, Switch.OUT_OF_SERVICE], "I"),
        ([Switch.SHELVED, Switch.BY_DESIGN], "H"),
        ([Switch.SHELVED], "G"),
        ([], "B"),
    ],
)
def test_out_of_service_is_shown_before_suppressed_before_shelved(switches: list[Switch], letter: str) -> None:
    assert Life.of("B", switches).letter == letter


def test_another_switch_keeps_the_alarm_hidden() -> None:
    life = Life.of("B", [Switch.SHELVED, Switch.BY_DESIGN])
    taken = step(life, Event.UNSHELVE, policy=PLAIN, now=NOW)
    assert taken.after == Letter.SUPPRESSED
    assert taken.effects == {Effect.JOURNAL}


@pytest.mark.parametrize(
    ("policy", "reason", "until", "words"),
    [
        (Policy(shelvable=False), "valve work", UNTIL, "may not be shelved"),
        (PLAIN, " ", UNTIL, "needs a reason"),
        (PLAIN, "valve work", None, "needs an end"),
        (PLAIN, "valve work", NOW, "past"),
        (PLAIN, "valve work", NOW + timedelta(hours=12, microseconds=1), "longer"),
    ],
)
def test_shelving_is_bounded_and_explained(policy: Policy, reason: str, until: object, words: str) -> None:
    with pytest.raises(IllegalEvent, match=words):
        step(Life.of("B"), Event.SHELVE, policy=policy, now=NOW, reason=reason, until=until)  # type: ignore[arg-type]


def test_shelving_does_not_run_out_before_its_time() -> None:
    shelved = step(Life.of("B"), Event.SHELVE, policy=PLAIN, now=NOW, reason="valve work", until=UNTIL).life
    with pytest.raises(IllegalEvent, match="not over"):
        step(shelved, Event.EXPIRE, policy=PLAIN, now=UNTIL - timedelta(microseconds=1))
    assert step(shelved, Event.EXPIRE, policy=PLAIN, now=UNTIL).after == "B"


@pytest.mark.parametrize("event", [Event.SUPPRESS, Event.OUT_OF_SERVICE])
def test_suppression_names_its_reason(event: Event) -> None:
    with pytest.raises(IllegalEvent, match=str(event)):
        step(Life.of("B"), event, policy=PLAIN, now=NOW)
    assert step(Life.of("B"), event, policy=PLAIN, now=NOW, reason="line down").reason == "line down"
