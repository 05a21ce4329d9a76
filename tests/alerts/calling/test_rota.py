"""Who has the duty: at an instant, over a range, on the days on which the clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.calling import wall
from alerts.calling.rota import Layer, Override, Rota, Segment, gaps, on_call, segments

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = [[[0, 360], [1320, 1440]]] * 7
EARLY = [[[360, 840]]] * 5 + [[], []]
ANNA, BEN, CARA, DAN = 1, 2, 3, 4


def utc(text: str) -> datetime:
    """Reads a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def berlin(text: str, fold: int = 0) -> datetime:
    """Reads a time on Berlin's walls."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


def shown(found: list[Segment], zone: ZoneInfo = BERLIN) -> list[tuple[str, str, int | None]]:
    """Gives segments as a calendar shows them."""
    return [
        (f"{one.start.astimezone(zone):%d %H:%M}", f"{one.end.astimezone(zone):%d %H:%M}", one.person) for one in found
    ]


def test_people_take_weekly_turns_and_hand_over_at_the_hour_on_the_wall() -> None:
    rota = Rota(BERLIN, (Layer("main", (ANNA, BEN, CARA), date(2026, 3, 2), time(9)),))
    assert on_call(rota, berlin("2026-03-02 08:59")) is None
    assert on_call(rota, berlin("2026-03-02 09:00")) == ANNA
    assert on_call(rota, berlin("2026-03-09 08:59")) == ANNA
    assert on_call(rota, berlin("2026-03-09 09:00")) == BEN
    # the same wall clock after the change to summer time, and a round later
    assert on_call(rota, berlin("2026-04-06 08:59")) == BEN
    assert on_call(rota, berlin("2026-04-06 09:00")) == CARA


def test_turns_of_own_length_repeat_while_people_go_on() -> None:
    rota = Rota(BERLIN, (Layer("2-2-3", (ANNA, BEN), date(2026, 3, 2), time(6), (2, 2, 3)),))
    days = [on_call(rota, berlin("2026-03-02 12:00") + timedelta(days=day)) for day in range(14)]
    assert days == [ANNA, ANNA, BEN, BEN, ANNA, ANNA, ANNA, BEN, BEN, ANNA, ANNA, BEN, BEN, BEN]


def test_a_night_shift_that_hands_over_in_the_evening_stays_in_one_piece() -> None:
    rota = Rota(BERLIN, (Layer("night", (ANNA, BEN), date(2026, 3, 2), time(22), (1,), NIGHT),))
    found = list(segments(rota, berlin("2026-03-03 12:00"), berlin("2026-03-05 12:00")))
    assert shown(found) == [
        ("03 12:00", "03 22:00", None),
        ("03 22:00", "04 06:00", BEN),
        ("04 06:00", "04 22:00", None),
        ("04 22:00", "05 06:00", ANNA),
        ("05 06:00", "05 12:00", None),
    ]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 3, 28), 24),
        (date(2026, 3, 29), 23),
        (date(2026, 10, 24), 24),
        (date(2026, 10, 25), 25),
    ],
)
def test_a_turn_of_a_day_has_the_days_own_hours(day: date, hours: int) -> None:
    rota = Rota(BERLIN, (Layer("daily", (ANNA, BEN), date(2026, 1, 1), time(), (1,)),))
    start = wall.midnight(day, BERLIN)
    first = next(segments(rota, start, start + timedelta(days=2)))
    assert first.end - first.start == timedelta(hours=hours)


def test_a_handover_at_half_past_two_that_the_clock_leaves_out_is_at_the_change() -> None:
    rota = Rota(BERLIN, (Layer("daily", (ANNA, BEN), date(2026, 3, 28), time(2, 30), (1,)),))
    found = list(segments(rota, utc("2026-03-28 12:00"), utc("2026-03-30 12:00")))
    # 01:00 UTC is the moment at which 02:00 becomes 03:00
    assert [one.start for one in found[1:]] == [utc("2026-03-29 01:00"), utc("2026-03-30 00:30")]
    assert on_call(rota, utc("2026-03-29 00:59:59")) == ANNA
    assert on_call(rota, utc("2026-03-29 01:00")) == BEN


def test_a_handover_at_half_past_two_that_comes_twice_is_at_its_first_coming() -> None:
    rota = Rota(BERLIN, (Layer("daily", (ANNA, BEN), date(2026, 10, 24), time(2, 30), (1,)),))
    assert on_call(rota, berlin("2026-10-25 02:29")) == ANNA
    assert on_call(rota, berlin("2026-10-25 02:30")) == BEN
    assert on_call(rota, berlin("2026-10-25 02:10", fold=1)) == BEN  # it does not go back to Anna
    found = list(segments(rota, utc("2026-10-25 00:30"), utc("2026-10-26 01:30")))
    assert [(one.person, one.end - one.start) for one in found] == [(BEN, timedelta(hours=25))]


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 7.0), ("2026-10-25", 9.0), ("2026-03-30", 8.0)])
def test_a_shift_from_half_past_two_has_the_hours_that_pass(day: str, length: float) -> None:
    hours = [[[150, 630]]] * 7  # 02:30 to 10:30
    rota = Rota(BERLIN, (Layer("shift", (ANNA,), date(2026, 1, 1), hours=hours),))
    start = wall.midnight(date.fromisoformat(day), BERLIN)
    passed = [one for one in segments(rota, start, start + timedelta(hours=20)) if one.person]
    # In spring it begins with the change, at 03:00 on the wall: half an hour of the eight is left out.
    assert sum((one.end - one.start).total_seconds() for one in passed) / 3600 == (7.5 if length == 7.0 else length)


def test_three_shifts_leave_no_instant_of_the_change_days_uncovered() -> None:
    week = [[0, 150], [150, 630], [630, 1440]]
    layers = tuple(
        Layer(str(index), (index,), date(2026, 1, 1), hours=[[span]] * 7) for index, span in enumerate(week, 1)
    )
    rota = Rota(BERLIN, layers)
    for day in ("2026-03-29", "2026-10-25"):
        start = wall.midnight(date.fromisoformat(day), BERLIN)
        assert gaps(rota, start - timedelta(days=1), start + timedelta(days=2)) == []


def test_the_first_layer_that_covers_has_the_duty_and_overrides_go_before_all() -> None:
    rota = Rota(
        BERLIN,
        (
            Layer("early", (ANNA,), date(2026, 3, 2), hours=EARLY),
            Layer("else", (BEN,), date(2026, 3, 2)),
        ),
        (
            Override(berlin("2026-03-03 10:00"), berlin("2026-03-03 16:00"), CARA, "dentist"),
            Override(berlin("2026-03-03 12:00"), berlin("2026-03-03 13:00"), DAN, "lunch"),
        ),
    )
    found = list(segments(rota, berlin("2026-03-03 00:00"), berlin("2026-03-04 00:00")))
    assert shown(found) == [
        ("03 00:00", "03 06:00", BEN),
        ("03 06:00", "03 10:00", ANNA),
        ("03 10:00", "03 12:00", CARA),
        ("03 12:00", "03 13:00", DAN),
        ("03 13:00", "03 16:00", CARA),
        ("03 16:00", "04 00:00", BEN),
    ]


def test_a_holiday_is_served_as_a_sunday() -> None:
    rota = Rota(
        BERLIN,
        (Layer("early", (ANNA,), date(2026, 3, 2), hours=EARLY), Layer("else", (BEN,), date(2026, 3, 2))),
        holidays=frozenset({date(2026, 4, 3)}),
    )
    assert on_call(rota, berlin("2026-04-02 10:00")) == ANNA
    assert on_call(rota, berlin("2026-04-03 10:00")) == BEN


def test_a_layer_ends_on_its_day() -> None:
    rota = Rota(BERLIN, (Layer("main", (ANNA,), date(2026, 3, 2), until=date(2026, 3, 5)),))
    found = list(segments(rota, berlin("2026-03-01 00:00"), berlin("2026-03-07 00:00")))
    assert shown(found) == [
        ("01 00:00", "02 00:00", None),
        ("02 00:00", "05 00:00", ANNA),
        ("05 00:00", "07 00:00", None),
    ]


def test_a_rota_without_people_says_so() -> None:
    assert [one.person for one in segments(Rota(BERLIN), utc("2026-03-01 00:00"), utc("2026-03-02 00:00"))] == [None]


# --- Against a slow reference --------------------------------------------------------------------------------------

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
# around changes of the clock, Apia's skipped day among them
STARTS = ["2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-10-03", "2011-12-29"]


def reference(rota: Rota, instants: list[datetime]) -> list[int | None]:
    """Gives who has the duty at every instant, minute by minute, with nothing of the code under test.

    A boundary is passed at the first instant whose wall shows it; from then on it stays passed.
    """
    walls = [at.astimezone(rota.zone).replace(tzinfo=None) for at in instants]
    highest: list[datetime] = []
    for shown_now in walls:
        highest.append(max(shown_now, highest[-1]) if highest else shown_now)
    found: list[int | None] = []
    for at, reached in zip(instants, highest, strict=True):
        person = None
        for over in rota.overrides:
            if over.start <= at < over.end:
                person = over.person
        if person is None:
            person = next((who for who in (serves(layer, rota, reached) for layer in rota.layers) if who), None)
        found.append(person)
    return found


def serves(layer: Layer, rota: Rota, reached: datetime) -> int | None:
    """Gives whom a layer has when the wall has reached a time."""
    if layer.until is not None and reached >= datetime.combine(layer.until, time()):
        return None
    if layer.hours is not None:
        weekday = 6 if reached.date() in rota.holidays else reached.weekday()
        minute = reached.hour * 60 + reached.minute
        if not any(start <= minute < end for start, end in layer.hours[weekday]):
            return None
    begins = datetime.combine(layer.first, layer.handover)
    number = -1
    while begins <= reached:
        number += 1
        begins += timedelta(days=layer.turns[number % len(layer.turns)])
    return layer.people[number % len(layer.people)] if number >= 0 else None


@st.composite
def weekly_hours(draw: st.DrawFn) -> list[list[list[int]]] | None:
    """Weekly hours, or none."""
    if draw(st.booleans()):
        return None
    cuts = st.lists(st.integers(0, 48).map(lambda half: half * 30), min_size=2, max_size=4, unique=True).map(sorted)
    days = []
    for _ in range(7):
        edges = draw(cuts)
        days.append([[edges[at], edges[at + 1]] for at in range(0, len(edges) - 1, 2)])
    return days


@st.composite
def rotas(draw: st.DrawFn) -> tuple[Rota, datetime]:
    """A rota around a change of the clock, and when to begin to look."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    day = date.fromisoformat(draw(st.sampled_from(STARTS)))
    layers = tuple(
        Layer(
            f"layer {number}",
            tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))),
            day - timedelta(days=draw(st.integers(-2, 30))),
            time(draw(st.integers(0, 23)), draw(st.sampled_from([0, 30]))),
            tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=3))),
            draw(weekly_hours()),
            draw(st.none() | st.just(day + timedelta(days=2))),
        )
        for number in range(draw(st.integers(0, 3)))
    )
    start = datetime.combine(day, time(draw(st.integers(0, 23))), UTC)
    overrides = []
    for _ in range(draw(st.integers(0, 3))):
        begins = start + timedelta(minutes=draw(st.integers(-600, 3000)))
        ends = begins + timedelta(minutes=draw(st.integers(1, 1500)))
        overrides.append(Override(begins, ends, draw(st.integers(6, 9))))
    holidays = frozenset(draw(st.lists(st.integers(0, 2), max_size=1).map(lambda on: [day + timedelta(d) for d in on])))
    return Rota(zone, layers, tuple(overrides), holidays), start


@given(rotas())
@settings(max_examples=40, deadline=None)
def test_segments_cover_a_range_without_gap_or_overlap_and_agree_with_every_minute(made: tuple[Rota, datetime]) -> None:
    rota, start = made
    instants = [start + timedelta(minutes=minute) for minute in range(-1500, 2 * 1440)]
    expected = dict(zip(instants, reference(rota, instants), strict=True))
    end = start + timedelta(days=2)
    found = list(segments(rota, start, end))
    assert found[0].start == start
    assert found[-1].end == end
    assert all(one.end == after.start for one, after in pairwise(found))
    assert all(one.start < one.end for one in found)
    for segment in found:
        at = segment.start
        while at < segment.end:
            assert expected[at] == segment.person, (at, segment)
            at += timedelta(minutes=1)


@given(rotas(), st.integers(0, 2 * 1440 * 60 - 1))
@settings(max_examples=40, deadline=None)
def test_who_is_on_call_at_an_instant_is_who_the_calendar_shows(made: tuple[Rota, datetime], second: int) -> None:
    rota, start = made
    moment = start + timedelta(seconds=second)
    found = [one for one in segments(rota, start, start + timedelta(days=2)) if one.start <= moment < one.end]
    assert [one.person for one in found] == [on_call(rota, moment)]


@given(rotas())
@settings(max_examples=40, deadline=None)
def test_overrides_win_everywhere(made: tuple[Rota, datetime]) -> None:
    rota, _ = made
    for over in rota.overrides[-1:]:
        for segment in segments(rota, over.start, over.end):
            assert segment.person == over.person


def test_weekly_hours_close_after_the_night_in_one_piece() -> None:
    assert wall.closes(NIGHT, BERLIN, berlin("2026-03-03 23:00")) == berlin("2026-03-04 06:00")
    assert wall.closes(NIGHT, BERLIN, berlin("2026-03-03 06:00")) is None
    assert wall.closes([[[0, 1440]]] * 7, BERLIN, berlin("2026-03-03 06:00")) is None
    # In the hour that comes twice the night goes on to its end.
    assert wall.closes([[[0, 150]]] * 7, BERLIN, berlin("2026-10-25 02:10", fold=1)) is None


def test_the_next_full_hour_goes_by_the_wall() -> None:
    assert wall.next_hour(utc("2026-03-02 06:00:30"), ZoneInfo("Asia/Kathmandu")) == utc("2026-03-02 06:15")
    assert wall.next_hour(utc("2026-03-02 06:00"), ZoneInfo("UTC")) == utc("2026-03-02 07:00")
