"""The one decision: what becomes of a wish to tell somebody, as a table, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.calling.decision import (
    Criticals,
    Decision,
    Fate,
    Ledger,
    Person,
    Post,
    Situation,
    Wish,
    decide,
    decide_posts,
)
from alerts.calling.plan import Plan, Progress, Route, Step, in_order, take

NOW = datetime(2026, 3, 2, 6, 0, 30, tzinfo=UTC)
QUIET = [[[0, 480]]] * 7
ANNA = Person(1, "Anna", ZoneInfo("UTC"), {"email": "anna@works.example", "sms": ""})
MAIL = Wish(1, "email", "asked for")
MINUTE = timedelta(minutes=1)


def one(person: Person = ANNA, wish: Wish = MAIL, sent: Ledger | None = None, **situation: Any) -> Decision:
    """Decides about one wish."""
    about = Situation(**{"now": NOW, "priority": 2, **situation})
    (made,) = decide([wish], {1: person}, about, sent or Ledger(), missing={"sms": "no mobile number"})
    return made


@pytest.mark.parametrize(
    ("person", "wish", "situation", "fate", "reason"),
    [
        ({}, {}, {}, Fate.DUE, "asked for"),
        ({}, {}, {"withheld": "shelved"}, Fate.WITHHELD, "shelved"),
        ({"active": False}, {}, {}, Fate.WITHHELD, "the account is switched off"),
        ({}, {"closed": "outside your hours"}, {}, Fate.WITHHELD, "outside your hours"),
        ({}, {"channel": "sms"}, {}, Fate.WITHHELD, "no mobile number"),
        ({}, {"channel": "push"}, {}, Fate.WITHHELD, "no address"),
        ({"quiet": QUIET}, {}, {}, Fate.HELD, "your quiet hours, until 08:00"),
        ({"quiet": QUIET}, {}, {"priority": 1}, Fate.DUE, "asked for"),
        ({"quiet": QUIET, "quiet_lets": 0}, {}, {"priority": 1}, Fate.HELD, "your quiet hours, until 08:00"),
        ({"quiet": QUIET}, {"on_call": True}, {}, Fate.DUE, "asked for"),
        ({"quiet": QUIET}, {}, {"returned": True}, Fate.WITHHELD, "your quiet hours, until 08:00"),
        ({"digest_from": 2}, {}, {}, Fate.HELD, "your digest of 07:00"),
        ({"digest_from": 3}, {}, {}, Fate.DUE, "asked for"),
        # a flood gathers everything but what is critical, duties too
        ({}, {"on_call": True}, {"gathered": (NOW + 10 * MINUTE, "a flood")}, Fate.HELD, "a flood"),
        ({}, {}, {"gathered": (NOW + 10 * MINUTE, "a flood"), "priority": 1}, Fate.DUE, "asked for"),
    ],
)
def test_what_becomes_of_a_wish(
    person: dict[str, Any], wish: dict[str, Any], situation: dict[str, Any], fate: Fate, reason: str
) -> None:
    made = one(replace(ANNA, **person), replace(MAIL, **wish), **situation)
    assert (made.fate, made.reason) == (fate, reason)


@pytest.mark.parametrize(
    ("situation", "told", "fate", "reason"),
    [
        ({}, {}, Fate.DUE, "team Fitters"),
        ({"withheld": "shelved"}, {}, Fate.WITHHELD, "shelved"),
        ({}, {7: NOW - MINUTE + timedelta(seconds=1)}, Fate.WITHHELD, "told of it less than a minute ago"),
        ({}, {7: NOW - MINUTE, 8: NOW}, Fate.DUE, "team Fitters"),
        ({"gathered": (NOW + 10 * MINUTE, "a flood")}, {}, Fate.HELD, "a flood"),
        ({"gathered": (NOW + 10 * MINUTE, "a flood"), "priority": 1}, {}, Fate.DUE, "team Fitters"),
    ],
)
def test_what_becomes_of_telling_a_teams_channel(
    situation: dict[str, Any], told: dict[int, datetime], fate: Fate, reason: str
) -> None:
    post = Post(7, "chat", "Fitters", "team Fitters", "1.1.1")
    twice = [post, replace(post, reason="team Fitters again", step="1.1.2")]
    (made,) = decide_posts(twice, Situation(**{"now": NOW, "priority": 2, **situation}), told=told)
    assert (made.fate, made.reason, made.post.step) == (fate, reason, "1.1.1")
    assert made.steps == ("1.1.1", "1.1.2")


@given(st.lists(st.tuples(st.integers(0, 900), st.booleans()), max_size=40))
def test_in_a_flood_nothing_critical_waits_longer_than_a_minute_and_no_minute_has_more_than_four_messages(
    raised: list[tuple[int, bool]],
) -> None:
    criticals, end, sent = Criticals(), NOW + 60 * MINUTE, []
    going: datetime | None = None

    def release(until: datetime) -> None:
        nonlocal going
        if going is not None and going <= until:
            sent.append(going)
            criticals.went(("email", 1), going, first_out=False)
            going = None

    for seconds, first_out in sorted(raised):
        at = NOW + timedelta(seconds=seconds)
        release(at)
        about = Situation(at, 1, gathered=(end, "a flood"), flood=True, first_out=first_out)
        (made,) = decide([MAIL], {1: ANNA}, about, Ledger(), missing={}, criticals=criticals)
        if made.fate == Fate.DUE:
            sent.append(at)
        else:
            assert at <= made.due <= at + MINUTE
            assert going in (None, made.due)
            going = made.due
    release(end)
    for at in sent:
        assert sum(at <= one < at + MINUTE for one in sent) <= 4


def test_of_two_reasons_that_are_held_the_one_that_ends_first_counts() -> None:
    person = replace(ANNA, quiet=QUIET, quiet_lets=0)
    about = Situation(NOW, 1, gathered=(NOW + 10 * MINUTE, "a flood"), flood=True)
    criticals = Criticals({("email", 1): NOW})
    duty = replace(MAIL, reason="on call", on_call=True)
    (made,) = decide([MAIL, duty], {1: person}, about, Ledger(), missing={}, criticals=criticals)
    assert (made.fate, made.due) == (Fate.HELD, NOW + MINUTE)


def test_of_several_reasons_the_one_that_sends_counts() -> None:
    closed = replace(MAIL, closed="outside your hours", subscription=7)
    duty = replace(MAIL, reason="on call", on_call=True)
    person = replace(ANNA, quiet=QUIET)
    (made,) = decide([closed, MAIL, duty], {1: person}, Situation(NOW, 2), Ledger(), missing={})
    assert (made.fate, made.reason) == (Fate.DUE, "on call")


@pytest.mark.parametrize("sent", [Ledger(), Ledger({1: [NOW] * 20})], ids=["due", "beyond the limit"])
def test_a_decision_names_every_step_that_it_answers(sent: Ledger) -> None:
    first, second = replace(MAIL, step="1.1.1"), replace(MAIL, step="1.1.2", on_call=True)
    (made,) = decide([first, MAIL, second], {1: ANNA}, Situation(NOW, 2), sent, missing={})
    assert made.steps == ("1.1.1", "1.1.2")


def test_a_return_to_normal_beyond_the_limit_is_not_told_later() -> None:
    full = Ledger({1: [NOW] * 20})
    assert one(sent=full).fate == Fate.HELD
    assert one(sent=full, returned=True).fate == Fate.WITHHELD


@given(
    st.lists(st.tuples(st.integers(0, 7200), st.integers(1, 4)), max_size=60),
    st.integers(1, 8),
    st.integers(1, 12),
)
def test_nobody_gets_more_in_any_hour_than_the_limits_say(raised: list[tuple[int, int]], limit: int, hard: int) -> None:
    person = replace(ANNA, limit=limit, hard_limit=hard)
    sent = Ledger()
    out: list[tuple[datetime, int]] = []
    for second, priority in sorted(raised):
        made = one(person, sent=sent, now=NOW + timedelta(seconds=second), priority=priority)
        if made.fate == Fate.DUE:
            out.append((made.due, priority))
        else:
            assert made.due > NOW + timedelta(seconds=second)
    for at, _ in out:
        hour = [priority for then, priority in out if at - timedelta(hours=1) < then <= at]
        assert len(hour) <= hard
        # What is not critical finds room only below its own limit.
        if hour[-1] > 1:
            assert len(hour) <= min(limit, hard)


def test_what_returned_to_normal_holds_up_nothing_critical() -> None:
    sent = Ledger({1: [NOW]}, {1: [NOW] * 59})
    assert one(sent=sent, priority=1).fate == Fate.DUE
    assert one(sent=sent, priority=2).fate == Fate.HELD
    assert one(sent=sent, priority=1, returned=True).fate == Fate.WITHHELD
    assert one(sent=Ledger({1: [NOW] * 60}), priority=1).fate == Fate.HELD
    counted = Ledger()
    for _ in range(70):
        one(sent=counted, priority=1, returned=True)
    assert one(sent=counted, priority=1, returned=True).reason == "more than 60 messages within the hour"
    assert one(sent=counted, priority=1).fate == Fate.DUE


def test_a_return_to_normal_in_a_flood_is_not_told_whatever_its_priority_and_begins_no_digest() -> None:
    criticals, flood = Criticals({("email", 1): NOW}), {"gathered": (NOW + 10 * MINUTE, "a flood"), "flood": True}
    for priority in (1, 2):
        about = Situation(NOW, priority, returned=True, **flood)
        (made,) = decide([MAIL], {1: ANNA}, about, Ledger(), missing={}, criticals=criticals)
        assert (made.fate, made.reason) == (Fate.WITHHELD, "a flood")
    (made,) = decide([MAIL], {1: ANNA}, Situation(NOW, 2, **flood), Ledger(), missing={}, criticals=criticals)
    assert made.due == NOW + 10 * MINUTE
    assert one(priority=1, returned=True).fate == Fate.DUE


def test_routes_are_tried_from_the_most_specific() -> None:
    depth = {10: 1, 20: 2, 30: 3}
    routes = [
        Route(1, 0),
        Route(2, 0, asset=10),
        Route(3, 0, asset=30),
        Route(4, 0, asset=30, alarm_class="safety"),
        Route(5, 0, asset=30, hours=QUIET),
        Route(6, 0, asset=30, highest=1, lowest=1),
        Route(7, 0, asset=20, order=2),
        Route(8, 0, asset=20, order=1),
    ]
    assert [route.id for route in in_order(routes, depth)] == [4, 5, 6, 3, 8, 7, 2, 1]


def test_a_plan_survives_being_frozen() -> None:
    plan = Plan("Main", (Step(0.0, "rota", 3, "Duty"), Step(300.0, "team", 1, "Fitters", (4, 5), 2)), route=9, rounds=2)
    assert Plan.of(plan.as_json()) == plan


@given(
    st.lists(st.floats(0, 3600), min_size=1, max_size=5),
    st.integers(1, 4),
    st.lists(st.integers(1, 4000), max_size=20),
)
def test_every_step_is_taken_once_and_in_order_however_often_it_is_looked(
    waits: list[float], rounds: int, looks: list[int]
) -> None:
    after, steps = 0.0, []
    for wait in waits:
        after += wait
        steps.append(Step(after, "everybody"))
    plan = Plan("Main", tuple(steps), rounds=rounds, round_seconds=after + 60.0)
    progress, places, now = Progress(NOW), [], NOW
    for seconds in [*looks, 10**6]:
        now += timedelta(seconds=seconds)
        taken, progress = take(plan, progress, now)
        places += taken
        assert (due := progress.due(plan)) is None or due > now
    assert places == list(range(plan.length))


def test_a_step_that_waits_for_maintenance_is_due_at_its_end_and_the_others_as_much_later() -> None:
    plan = Plan("Main", (Step(0.0, "everybody"), Step(300.0, "everybody")), round_seconds=900.0)
    places, progress = take(plan, Progress(NOW), NOW, held_until=NOW + 30 * MINUTE)
    assert (places, progress.due(plan)) == ([], NOW + 30 * MINUTE)
    places, progress = take(plan, progress, NOW + 30 * MINUTE)
    assert (places, progress.due(plan)) == ([0], NOW + 35 * MINUTE)
