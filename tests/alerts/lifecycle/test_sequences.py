"""Whole lives, event by event, as the standard's practice tells them."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.lifecycle import NORMAL, Effect, Event, IllegalEvent, Letter, Life, Policy, Step, Switch, step

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=10)

POLICIES = {
    "AR": Policy(),
    "AR+L": Policy(latching=True),
    "AR+L, reset before ack": Policy(latching=True, reset_before_ack=True),
    "!AR": Policy(ack_required=False),
    "!AR+L": Policy(ack_required=False, latching=True),
    "AR, RA": Policy(realarm=True),
}


def put(life: Life, word: str, policy: Policy) -> Step:
    """Puts an event written as in the tables; ONE-SHOT is a shelving that ends with the active period."""
    now = UNTIL if word == "EXPIRE" else NOW
    if word == "ONE-SHOT":
        return step(life, Event.SHELVE, policy=policy, now=now, reason="valve work", until=UNTIL, one_shot=True)
    event = Event[{"OOS": "OUT_OF_SERVICE"}.get(word, word)]
    return step(life, event, policy=policy, now=now, reason="valve work", until=UNTIL)


def live(policy: Policy, events: str) -> list[Step]:
    """Puts the events one after the other to a normal alarm."""
    life, steps = NORMAL, []
    for word in events.split():
        steps.append(put(life, word, policy))
        life = steps[-1].life
    return steps


@pytest.mark.parametrize(
    ("policy", "events", "letters", "annunciations", "occurrences"),
    [
        ("AR", "RAISE ACK CLEAR", "BCA", 1, 1),
        ("AR", "RAISE CLEAR ACK", "BDA", 1, 1),
        ("AR", "RAISE CLEAR RAISE ACK CLEAR", "BDBCA", 2, 2),
        ("AR+L", "RAISE ACK CLEAR RESET", "BCFA", 1, 1),
        ("AR+L", "RAISE CLEAR ACK RESET", "BEFA", 1, 1),
        ("AR+L, reset before ack", "RAISE CLEAR RESET ACK", "BEDA", 1, 1),
        ("!AR", "RAISE CLEAR", "CA", 1, 1),
        ("AR", "RAISE SHELVE EXPIRE", "BGB", 2, 1),
        ("AR", "RAISE SHELVE CLEAR EXPIRE", "BGGA", 1, 1),
        ("AR", "RAISE ONE-SHOT CLEAR", "BGA", 1, 1),
        ("AR", "SHELVE RAISE OOS UNSHELVE RETURN", "GGIIB", 1, 1),
        ("AR, RA", "RAISE ACK REALARM ACK", "BCBC", 2, 1),
        # beyond the standard's vectors
        ("AR+L", "SHELVE RAISE CLEAR UNSHELVE ACK RESET", "GGGEFA", 1, 1),
        ("AR+L", "RAISE ONE-SHOT CLEAR ACK RESET", "BGEFA", 1, 1),
        ("AR+L", "RAISE ACK CLEAR SHELVE UNSHELVE RESET", "BCFGFA", 1, 1),
        ("AR+L", "RAISE ACK CLEAR RAISE CLEAR ACK RESET", "BCFBEFA", 2, 1),
        ("!AR", "SHELVE RAISE UNSHELVE CLEAR", "GGCA", 1, 1),
        ("!AR", "RAISE SHELVE UNSHELVE CLEAR", "CGCA", 1, 1),
        ("AR", "RAISE ACK SHELVE UNSHELVE", "BCGB", 2, 1),
        ("AR", "RAISE CLEAR SHELVE UNSHELVE", "BDGA", 1, 1),
        ("AR", "RAISE CLEAR SHELVE RAISE UNSHELVE ACK CLEAR", "BDGGBCA", 2, 2),
        ("AR", "ONE-SHOT RAISE CLEAR RAISE", "GGAB", 1, 2),
        ("AR", "ONE-SHOT OOS RAISE CLEAR RETURN", "GIIIA", 0, 1),
        ("AR", "SHELVE SUPPRESS OOS RETURN UNSUPPRESS UNSHELVE", "GHIHGA", 0, 0),
        ("AR", "RAISE SILENCE COMMENT ACK SILENCE", "BBBCC", 1, 1),
    ],
)
def test_sequence_leads_through_the_states(
    policy: str, events: str, letters: str, annunciations: int, occurrences: int
) -> None:
    steps = live(POLICIES[policy], events)
    assert "".join(taken.after for taken in steps) == letters
    assert "".join(taken.before for taken in steps) == ("A" + letters)[:-1]
    assert sum(Effect.ANNUNCIATE in taken.effects for taken in steps) == annunciations
    assert sum(Effect.NEW_OCCURRENCE in taken.effects for taken in steps) == occurrences


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("before", "event", "letter"),
    [("", "ACK", "A"), ("RAISE", "RESET", None), ("RAISE ACK", "RESET", None)],
)
def test_acknowledging_nothing_and_resetting_what_is_active_are_refused(
    policy: str, before: str, event: str, letter: str | None
) -> None:
    steps = live(POLICIES[policy], before)
    life = steps[-1].life if steps else NORMAL
    with pytest.raises(IllegalEvent) as refused:
        put(life, event, POLICIES[policy])
    assert refused.value.state == life.letter
    assert refused.value.event == Event[event]
    assert letter is None or refused.value.state == letter
    assert str(refused.value.event) in str(refused.value) and str(life.letter) in str(refused.value)


def test_a_raise_while_returned_supersedes_the_occurrence_that_nobody_acknowledged() -> None:
    again = live(POLICIES["AR"], "RAISE CLEAR RAISE")[-1]
    assert again.effects == {Effect.JOURNAL, Effect.SUPERSEDE, Effect.NEW_OCCURRENCE, Effect.ANNUNCIATE}
    assert (again.before, again.after) == (Letter.RETURNED, Letter.UNACKED)


def test_horn_stops_when_the_alarm_no_longer_sounds() -> None:
    stops = [
        (taken.before + taken.after, Effect.STOP_HORN in taken.effects)
        for taken in live(POLICIES["AR+L"], "RAISE CLEAR ACK RAISE SHELVE UNSHELVE ACK SILENCE")
    ]
    assert stops == [
        ("AB", False),
        ("BE", False),
        ("EF", True),
        ("FB", False),
        ("BG", True),
        ("GB", False),
        ("BC", True),
        ("CC", True),
    ]


def test_suppression_never_hides_that_the_alarm_is_active() -> None:
    raised = live(POLICIES["AR"], "SHELVE SUPPRESS RAISE")[-1].life
    assert raised.active
    assert raised.switches == {Switch.SHELVED, Switch.BY_DESIGN}
    assert raised.letter == Letter.SUPPRESSED


def test_stored_alarm_comes_back_as_the_same_life() -> None:
    life = live(POLICIES["AR"], "SUPPRESS RAISE")[-1].life
    assert Life.of("B", ["by_design"], annunciations=0) == life
    assert Policy.of({"ack_required": False, "latching": True}) == POLICIES["!AR+L"]
