"""What is held back and when it is told, as a table, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.calling.decision import Held, Ledger, Person
from alerts.calling.waiting import Waiting, release

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANNA = Person(1, "Anna", ZoneInfo("UTC"), {"email": "anna@works.example"})
BERT = replace(ANNA, id=2, name="Bert")
QUIET = {"quiet": [[[0, 480]]] * 7}  # to 08:00

Row = tuple[int, str, int, str]  # person, channel, minute, what it is about


def told(rows: list[Row], *, until: int = 600, priority: int = 3, on_call: bool = False, **given: Any) -> list[Any]:
    """Gives person, channel, minute and what it tells of, for each digest."""
    people = {1: replace(ANNA, **given.get("anna", {})), 2: BERT}
    ledger = Ledger({1: [NOW + at * MINUTE for at in given.get("sent", ())]})
    waiting = [Waiting(who, way, NOW + at * MINUTE, Held(priority, on_call), about) for who, way, at, about in rows]
    over = given.get("over", {})
    found = release(
        waiting,
        until=NOW + until * MINUTE,
        people=people,
        ledger=ledger,
        is_over=lambda about, at: at >= NOW + over.get(about, 10_000) * MINUTE,
    )
    return [(one.person, one.channel, (one.at - NOW) / MINUTE, "".join(one.holds)) for one in found]


@pytest.mark.parametrize(
    ("rows", "given", "digests"),
    [
        ([], {}, []),
        ([(1, "email", 5, "a")], {}, [(1, "email", 5, "a")]),
        ([(1, "email", 5, "a"), (1, "email", 5, "b")], {}, [(1, "email", 5, "ab")]),
        # each at its own time, whatever the order in which they came to wait
        ([(1, "email", 9, "a"), (1, "email", 5, "b")], {}, [(1, "email", 5, "b"), (1, "email", 9, "a")]),
        # each person and channel by itself
        (
            [(2, "email", 5, "a"), (1, "sms", 5, "b"), (1, "email", 5, "c")],
            {},
            [(1, "email", 5, "c"), (1, "sms", 5, "b"), (2, "email", 5, "a")],
        ),
        # the end of what is looked at is included
        ([(1, "email", 5, "a")], {"until": 5}, [(1, "email", 5, "a")]),
        ([(1, "email", 5, "a")], {"until": 4}, []),
        # what is over by then is left out, and a digest of nothing is none
        ([(1, "email", 5, "a"), (1, "email", 5, "b")], {"over": {"a": 5}}, [(1, "email", 5, "b")]),
        ([(1, "email", 5, "a")], {"over": {"a": 5}}, []),
        ([(1, "email", 5, "a")], {"over": {"a": 6}}, [(1, "email", 5, "a")]),
        # quiet hours hold all of it, unless it is urgent enough or a duty
        ([(1, "email", 5, "a"), (1, "email", 9, "b")], {"anna": QUIET}, [(1, "email", 120, "ab")]),
        ([(1, "email", 5, "a")], {"anna": QUIET, "priority": 1}, [(1, "email", 5, "a")]),
        ([(1, "email", 5, "a")], {"anna": QUIET, "on_call": True}, [(1, "email", 5, "a")]),
        ([(1, "email", 5, "a")], {"anna": QUIET, "over": {"a": 100}}, []),
        # a limit holds it until the oldest message is an hour old; each digest counts
        ([(1, "email", 5, "a")], {"anna": {"limit": 1}, "sent": [-30]}, [(1, "email", 30, "a")]),
        (
            [(1, "email", 5, "a"), (1, "sms", 5, "b")],
            {"anna": {"limit": 1}},
            [(1, "email", 5, "a"), (1, "sms", 65, "b")],
        ),
    ],
)
def test_what_waits_is_told_at_its_time(rows: list[Row], given: dict[str, Any], digests: list[Any]) -> None:
    assert told(rows, **given) == digests


def test_what_is_not_told_yet_waits_on() -> None:
    waiting = [Waiting(1, "email", NOW + at * MINUTE, Held(3, False), at) for at in (1, 2, 3)]
    (first,) = release(waiting, until=NOW + MINUTE, people={1: ANNA}, ledger=Ledger())
    assert (first.holds, [one.about for one in waiting]) == ([1], [2, 3])
