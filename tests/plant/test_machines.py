"""A machine's state from its readings."""

import pytest

from plant.machines import Kind, condition, judging, kind_of, state_words

NOW = 1_000_000_000_000
WORDS = state_words({"0": "stopped", "1": "running"})


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Execute", Kind.RUNNING), ("starting", Kind.RUNNING), ("Completing", Kind.RUNNING),
        ("Idle", Kind.IDLE), ("held", Kind.IDLE), ("Suspended", Kind.IDLE), ("resetting", Kind.IDLE),
        ("stopped", Kind.STOPPED), ("Stopping", Kind.STOPPED), ("complete", Kind.STOPPED),
        ("aborted", Kind.FAULT), ("aborting", Kind.FAULT), ("Clearing", Kind.FAULT),
        ("on vacation", Kind.REPORTING),
    ],
)  # fmt: skip
def test_packml_words_map_to_the_kinds(word: str, kind: Kind) -> None:
    assert kind_of(word) == kind


def test_the_state_is_what_the_label_says() -> None:
    found = condition(NOW, NOW - 100_000, judging([1.0]), (NOW - 900_000_000, 1.0), WORDS)
    assert (found.kind, found.word, found.stale) == (Kind.RUNNING, "running", False)


def test_old_data_is_stale_first_and_offline_after_two_minutes() -> None:
    after = [condition(NOW, NOW - seconds * 1_000_000, judging([1.0]), None, {}) for seconds in (4, 6, 119, 121)]
    assert [(one.kind, one.stale) for one in after] == [
        (Kind.REPORTING, False), (Kind.REPORTING, True), (Kind.REPORTING, True), (Kind.OFFLINE, False),
    ]  # fmt: skip


def test_a_slow_machine_gets_three_of_its_intervals() -> None:
    assert judging([600.0, 3600.0, None]) == (1800.0, 1800.0)


def test_a_machine_that_reports_when_it_likes_is_offline_only_before_its_first_reading() -> None:
    assert judging([None]) == judging([]) == (None, None)
    assert condition(NOW, 1, judging([None]), (1, 0.0), WORDS).kind == Kind.STOPPED
    assert condition(NOW, 1, judging([]), (1, 0.0), WORDS).kind == Kind.STOPPED
    assert condition(NOW, None, judging([None]), None, WORDS).kind == Kind.OFFLINE
