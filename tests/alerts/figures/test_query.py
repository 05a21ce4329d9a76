"""The figures from the database: by position, of exactly the rows that concern a period, in a few queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from alerts import journal
from alerts.figures.query import month, report, rules_of
from alerts.models import Alarm, JournalEntry, Position, Suppression
from tests import factories

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def written(*table: tuple[float, str, str, Alarm | None], **fields: Any) -> None:
    """Writes journal rows (second after START, event, letters, alarm)."""
    entries = [
        JournalEntry(
            time=START + timedelta(seconds=second), event=event, from_state=letters[0], to_state=letters[1],
            alarm=alarm, rule_id=alarm.rule_id if alarm is not None else None, **fields,
        )
        for second, event, letters, alarm in table
    ]  # fmt: skip
    with transaction.atomic():
        journal.write(entries, START)


def alarm(raised: float = 0, closed: float | None = None, **fields: Any) -> Alarm:
    def at(second: float) -> datetime:
        return START + timedelta(seconds=second)

    values = {
        "rule_name": "Hot", "tag": "press-1-1/temp", "asset_code": "press-1-1", "priority": 2, "state": "A",
        "raised": at(raised), "message": "Temperature high", "closed": None if closed is None else at(closed), **fields,
    }  # fmt: skip
    return Alarm.objects.create(**values)


def of(position: Position | None = None, *, days: float = 1, now: datetime | None = None) -> Any:
    end = START + days * DAY
    return report(position=position, start=START, end=end, now=now or end + DAY)


def test_figures_follow_from_the_journal_with_what_led_up_to_the_period():
    before, within, after = alarm(-7200, 600), alarm(100, 200, priority=1), alarm(90_000)
    written(
        (-7200, "raise", "AB", before), (60, "ack", "BC", before), (100, "raise", "AB", within),
        (150, "ack", "BC", within), (200, "clear", "CA", within), (600, "clear", "CA", before),
        (90_000, "raise", "AB", after),
    )  # fmt: skip
    made = of().figures
    assert (made.annunciations, made.answers.count, made.longest_active) == (1, 2, 7800.0)
    assert made.priorities == {1: 1, 2: 0, 3: 0, 4: 0}
    assert made.answers.p95 == pytest.approx(50 + 0.95 * 7210)
    assert made.standing == []


def test_an_alarm_that_was_open_all_the_while_stands_though_it_has_no_row_in_the_period():
    old = alarm(-3 * 86_400)
    over = alarm(-3 * 86_400, closed=-86_400)
    written((-3 * 86_400, "raise", "AB", old), (-3 * 86_400, "raise", "AB", over), (-86_400, "clear", "BA", over))
    made = of()
    assert [made.sources[one.source].name for one in made.figures.standing] == ["Temperature high"]
    assert made.figures.worst_stale == 1


def test_a_position_has_its_own_alarms_and_the_plant_has_all():
    north = Position.objects.create(code="north", name="North desk")
    mine, other = alarm(position="north"), alarm(position="south")
    written((10, "raise", "AB", mine), (20, "raise", "AB", other), (30, "raise", "AB", alarm()))
    assert of(north).figures.annunciations == 1
    assert of().figures.annunciations == 3


def test_a_refused_attempt_is_no_event():
    one = alarm()
    written((0, "raise", "AB", one))
    written((5, "realarm", "BB", one), reason="refused: no re-alarm period is set", actor="olga")
    assert of().figures.annunciations == 1


def test_the_time_to_respond_is_the_one_frozen_into_the_alarm():
    one, other = alarm(frozen={"time_to_respond": 60.0}), alarm(frozen={"time_to_respond": None})
    written((0, "raise", "AB", one), (0, "raise", "AB", other), (61, "ack", "BC", one), (61, "ack", "BC", other))
    found = of().figures.answers
    assert (found.count, found.timed, found.late) == (2, 1, 1)


def test_a_period_that_is_not_over_is_cut_off_at_now():
    written((10, "raise", "AB", alarm()))
    made = of(days=30, now=START + timedelta(hours=2))
    assert made.end == START + timedelta(hours=2)
    assert made.figures.per_hour == 0.5
    assert made.figures.hidden is not None
    assert of(days=1).figures.hidden is None


def test_what_is_hidden_is_counted_for_the_position_that_answers_the_rule():
    press, other = factories.plant()
    for machine in (press, other):
        factories.sensor(machine)
    west = Position.objects.create(code="west", name="West", scope=press)
    Position.objects.create(code="all", name="All")
    rule, foreign = factories.rule(press), factories.rule(other)
    named = factories.rule(other, "Named", position="west")
    assert rules_of(west) == {rule.pk, named.pk}
    assert rules_of(Position.objects.get(code="all")) == {foreign.pk}
    Suppression.objects.create(rule=rule, switches=["shelved"])
    Suppression.objects.create(rule=foreign, switches=["shelved", "by_design"])
    with transaction.atomic():
        journal.write(
            [
                JournalEntry(time=START, event="shelve", from_state="A", to_state="G", rule_id=one.pk)
                for one in (rule, foreign)
            ],
            START,
        )
    mine, whole = of(west, now=START + DAY).figures, of(now=START + DAY).figures
    assert (mine.hidden.shelved, mine.hidden.by_design, mine.times_shelved) == (1, 0, 1)
    assert (whole.hidden.shelved, whole.hidden.by_design, whole.times_shelved) == (2, 1, 2)


def test_the_cost_in_queries_is_the_same_for_3_and_for_300_alarms():
    north = Position.objects.create(code="north", name="North desk")

    def cost() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            of(north, now=START + DAY)
        return [query["sql"][:200] for query in queries.captured_queries]

    def add(count: int) -> None:
        made = [alarm(second, position="north") for second in range(0, count * 60, 60)]
        written(*[(60 * place, "raise", "AB", one) for place, one in enumerate(made)])

    add(3)
    few = cost()
    add(297)
    many = cost()
    assert len(few) == len(many) <= 8, "\n".join(many)


def test_a_period_is_found_by_index_and_not_by_reading_the_whole_journal():
    with CaptureQueriesContext(connection) as queries:
        of(now=START + DAY)
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's plan is in its own words")
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
            for *_, step in cursor.fetchall():
                whole = step.startswith(("SCAN alerts_alarm", "SCAN alerts_journalentry"))
                assert not whole or "LIMIT 1" in query["sql"], (step, query["sql"])


@pytest.mark.parametrize("text", ["2026-13", "October", "2026", "", "9999-12"])
def test_what_is_no_month_is_refused_in_words(text):
    with pytest.raises(ValueError, match="is no month; write it as 2026-10"):
        month(text)


def test_a_month_ends_where_the_next_begins():
    assert month("2026-12") == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
