"""The standard's sequences through the real parts: stream, services, timers, journal."""

from datetime import timedelta
from itertools import pairwise

import pytest

from alerts import services, timers
from alerts.models import Alarm, JournalEntry, Suppression
from tests.alerts.persons import Seat

pytestmark = pytest.mark.django_db

RULES = {
    "AR": {},
    "AR+L": {"latching": True},
    "!AR": {"ack_required": False},
    "AR, RA": {"realarm": 600.0},
}


@pytest.mark.parametrize(
    ("flags", "events", "letters", "annunciations", "occurrences"),
    [
        ("AR", "RAISE ACK CLEAR", "BCA", 1, 1),
        ("AR", "RAISE CLEAR ACK", "BDA", 1, 1),
        ("AR", "RAISE CLEAR RAISE ACK CLEAR", "BDBCA", 2, 2),
        ("AR+L", "RAISE ACK CLEAR RESET", "BCFA", 1, 1),
        ("AR+L", "RAISE CLEAR ACK RESET", "BEFA", 1, 1),
        ("!AR", "RAISE CLEAR", "CA", 1, 1),
        ("AR", "RAISE SHELVE EXPIRE", "BGB", 2, 1),
        ("AR", "RAISE SHELVE CLEAR EXPIRE", "BGGA", 1, 1),
        ("AR", "RAISE ONE-SHOT CLEAR", "BGA", 1, 1),
        ("AR", "SHELVE RAISE OOS UNSHELVE RETURN", "GGIIB", 1, 1),
        ("AR, RA", "RAISE ACK REALARM ACK", "BCBC", 2, 1),
        # beyond the standard's vectors
        ("AR+L", "SHELVE RAISE CLEAR UNSHELVE ACK RESET", "GGGEFA", 1, 1),
        ("AR", "ONE-SHOT RAISE CLEAR RAISE", "GGAB", 1, 2),
        ("AR", "RAISE CLEAR SHELVE RAISE UNSHELVE ACK CLEAR", "BDGGBCA", 2, 2),
        ("AR", "ONE-SHOT OOS RAISE CLEAR RETURN", "GIIIA", 0, 1),
        ("AR, RA", "RAISE REALARM SHELVE REALARM UNSHELVE", "BBGGB", 3, 1),
        ("!AR", "SHELVE RAISE UNSHELVE CLEAR", "GGCA", 1, 1),
        ("AR", "RAISE SILENCE COMMENT ACK SILENCE", "BBBCC", 1, 1),
        ("AR", "SHELVE UNSHELVE OOS RETURN RAISE", "GAIAB", 1, 1),
    ],
)
def test_sequence_leads_through_the_states(clean_redis, flags, events, letters, annunciations, occurrences):
    seat = Seat(clean_redis, **RULES[flags])
    seen = ""
    for word in events.split():
        seat.put(word)
        seen += seat.letter
    assert seen == letters
    assert sum(Alarm.objects.values_list("annunciations", flat=True)) == annunciations
    assert Alarm.objects.count() == occurrences
    # Each step has its row, and each row begins where the one before ended.
    steps = [(row.from_state, row.to_state) for row in JournalEntry.objects.order_by("pk")]
    assert all(before[1] == after[0] for before, after in pairwise(steps))
    assert (steps[0][0], steps[-1][1]) == ("A", letters[-1])


def test_a_latch_may_be_reset_before_anybody_acknowledged_where_the_plant_says_so(clean_redis, settings):
    settings.RESET_BEFORE_ACK = True
    seat = Seat(clean_redis, latching=True)
    seen = ""
    for word in ["RAISE", "CLEAR", "RESET", "ACK"]:
        seat.put(word)
        seen += seat.letter
    assert seen == "BEDA"


def test_a_latch_is_not_reset_before_anybody_acknowledged_otherwise(clean_redis):
    seat = Seat(clean_redis, latching=True)
    seat.raise_()
    seat.clear()
    with pytest.raises(services.Refused, match="cannot be reset: not acknowledged yet"):
        seat.reset()
    assert seat.journal()[-1] == "reset EE"


@pytest.mark.parametrize("flags", RULES)
@pytest.mark.parametrize(
    ("before", "word", "row"),
    [
        ("RAISE ACK CLEAR RESET", "ACK", None),
        ("RAISE", "RESET", "reset"),
        ("RAISE ACK", "RESET", "reset"),
        ("RAISE SHELVE", "ACK", "ack GG"),
        ("RAISE SHELVE", "RESET", "reset GG"),
        ("RAISE SHELVE", "SHELVE", "shelve GG"),
        ("RAISE", "UNSHELVE", "unshelve"),
        ("RAISE", "RETURN", "return_to_service"),
        ("OOS", "OOS", "out_of_service II"),
    ],
)
def test_what_is_not_possible_is_refused_and_the_attempt_is_recorded(clean_redis, flags, before, word, row):
    seat = Seat(clean_redis, **RULES[flags])
    for earlier in before.split():
        try:
            seat.put(earlier)
        except services.Refused:
            assert earlier == "RESET"
    letter = seat.letter
    if row is None:
        # Acknowledged already and over: the person is told by whom, and nothing happens.
        if flags != "!AR":
            seat.put(word)
        return
    with pytest.raises(services.Refused):
        seat.put(word)
    assert seat.letter == letter
    last = JournalEntry.objects.order_by("-pk")[0]
    assert f"{last.event} {last.from_state}{last.to_state}".startswith(row)
    assert last.reason.startswith("refused: ") and last.actor in ("operator", "fitter")


def test_re_alarm_counts_from_the_last_annunciation_and_ends_with_the_condition(clean_redis):
    seat = Seat(clean_redis, realarm=600.0)
    seat.raise_()
    first = seat.newest.realarm_due
    assert first is not None
    assert timers.realarm(now=first - timedelta(microseconds=1)) == 0
    assert timers.realarm(now=first) == 1
    assert seat.newest.realarm_due == first + timedelta(seconds=600)
    assert timers.realarm(now=first) == 0
    assert JournalEntry.objects.order_by("-pk")[0].time == first
    seat.clear()
    assert (seat.newest.state, seat.newest.realarm_due) == ("D", None)


def test_re_alarm_of_an_hour_ago_is_announced_once(clean_redis):
    seat = Seat(clean_redis, realarm=60.0)
    seat.raise_()
    due = seat.newest.realarm_due
    assert due is not None
    late = due + timedelta(hours=1)
    assert (timers.realarm(now=late), timers.realarm(now=late)) == (1, 0)
    assert seat.newest.realarm_due == late + timedelta(seconds=60)


def test_re_alarm_waits_while_the_alarm_is_not_presented_and_starts_anew_after_it(clean_redis):
    seat = Seat(clean_redis, realarm=60.0)
    seat.raise_()
    seat.shelve()
    assert seat.newest.realarm_due is None
    seat.unshelve()
    assert seat.newest.realarm_due is not None


def test_silence_lasts_until_the_next_annunciation(clean_redis):
    seat = Seat(clean_redis, realarm=60.0)
    seat.raise_()
    seat.silence()
    assert seat.newest.silenced is not None
    seat.realarm()
    assert seat.newest.silenced is None


def test_shelving_outlives_the_occurrence_and_a_new_worker(clean_redis):
    from devices.telemetry import pipeline

    seat = Seat(clean_redis)
    seat.shelve()
    seat.raise_()
    seat.clear()
    pipeline.forget_shards()
    seat.raise_()
    assert (seat.letter, seat.newest.annunciations, Alarm.objects.count()) == ("G", 0, 2)


def test_shelving_whose_end_cannot_be_determined_is_over(clean_redis):
    seat = Seat(clean_redis)
    seat.raise_()
    seat.shelve()
    Suppression.objects.update(shelved_until=None)
    timers.expire_shelving(now=seat.newest.raised)
    last = JournalEntry.objects.order_by("-pk")[0]
    assert (last.event, last.to_state, last.reason) == ("expire", "B", timers.UNKNOWN_END)
    assert (seat.letter, seat.suppression.switches, seat.newest.suppressed) == ("B", [], [])
    assert timers.expire_shelving(now=seat.newest.raised) == 0


def test_timers_ask_once_where_nothing_is_due(clean_redis, django_assert_num_queries):
    seat = Seat(clean_redis, realarm=60.0)
    seat.raise_()
    now = seat.newest.raised
    with django_assert_num_queries(2):
        assert timers.expire_shelving(now=now) + timers.realarm(now=now) == 0


def test_beat_lets_time_do_its_work(clean_redis, monkeypatch):
    from alerts.tasks import tick
    from plant.celery import app

    assert app.conf.beat_schedule["tick"]["task"] == tick.name
    seat = Seat(clean_redis)
    seat.raise_()
    seat.shelve()
    monkeypatch.setattr("alerts.tasks.timezone.now", lambda: seat.suppression.shelved_until)
    tick()
    assert seat.letter == "B"
