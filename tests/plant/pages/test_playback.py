"""`?at=` shows a page as it was; what it asks for is of then too; nothing of it acts."""

from __future__ import annotations

import inspect
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts import services
from alerts.book import Book
from alerts.instants import from_us, to_us
from alerts.models import Alarm, JournalEntry
from alerts.past import Unknown, Written, looking_back, versions
from devices.telemetry import history
from devices.telemetry.batch import Batch
from plant.pages import playback, urls
from plant.playback import OF_THE_PRESENT, instant
from tests import factories

pytestmark = pytest.mark.django_db

# It shows a form, which tells of no moment; the clock is for what is sent.
WRITE_WITH_THE_CLOCK = ["alarms-comment"]
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def start():
    return timezone.now() - 60 * MINUTE


def raised(rule, at, value=95.0):
    with transaction.atomic():
        book = Book(at)
        book.load(rules=[rule.pk])
        book.raised(book.rule(rule.pk), at=at, value=value)
        book.write()
    return Alarm.objects.get(rule=rule, closed=None)


def cleared(rule, at):
    with transaction.atomic():
        book = Book(at)
        book.load(rules=[rule.pk])
        book.cleared(book.open[rule.pk], at=at)
        book.write()


@pytest.fixture
def story(browser, start):
    """An alarm: raised in minute 1, shelved in 5, unshelved in 10, acknowledged in 15, over in 20."""
    press = factories.plant()[0]
    factories.sensor(press)
    rule = factories.rule(press, priority="high")
    olga = factories.operator("olga")
    alarm = raised(rule, start + MINUTE)
    until = start + 45 * MINUTE
    services.shelve(alarm_id=alarm.pk, user=olga, reason="noisy <b>", until=until, now=start + 5 * MINUTE)
    services.unshelve(alarm_id=alarm.pk, user=olga, now=start + 10 * MINUTE)
    services.acknowledge(alarm_id=alarm.pk, user=olga, now=start + 15 * MINUTE)
    cleared(rule, start + 20 * MINUTE)
    return alarm


def at(moment):
    return {"at": moment.isoformat()}


def rows(browser, moment, show="active"):
    return browser.get("/alarms/", {"show": show, "fragment": "1", **at(moment)}).content.decode()


def test_list_shows_what_stood_then_in_the_state_that_it_had(browser, story, start):
    row = f'data-alarm="{story.pk}"'
    assert row not in rows(browser, start)
    assert row in rows(browser, start + 2 * MINUTE) and "Unacked" in rows(browser, start + 2 * MINUTE)
    assert row not in rows(browser, start + 6 * MINUTE)
    assert "noisy &lt;b&gt;" in rows(browser, start + 6 * MINUTE, "shelved")
    assert "Unacked" in rows(browser, start + 11 * MINUTE)
    assert "Acked" in rows(browser, start + 16 * MINUTE)
    assert row not in rows(browser, start + 21 * MINUTE)
    assert row not in browser.get("/alarms/", {"fragment": "1"}).content.decode()


def test_moment_counts_to_the_microsecond(browser, story, start):
    tick = timedelta(microseconds=1)
    row = f'data-alarm="{story.pk}"'
    assert row not in rows(browser, start + MINUTE - tick)
    assert row in rows(browser, start + MINUTE)
    assert "Unacked" in rows(browser, start + 15 * MINUTE - tick)
    assert "Unacked" not in rows(browser, start + 15 * MINUTE)
    assert row in rows(browser, start + 20 * MINUTE - tick)
    assert row not in rows(browser, start + 20 * MINUTE)


def test_two_steps_whose_clocks_cross_are_told_in_the_order_of_their_commits(browser, start):
    press = factories.plant()[0]
    factories.sensor(press)
    alarm = raised(factories.rule(press), start)
    olga = factories.operator("olga")
    services.acknowledge(alarm_id=alarm.pk, user=olga, now=start + 10 * MINUTE + SECOND)
    services.shelve(alarm_id=alarm.pk, user=olga, reason="noisy", until=start + 45 * MINUTE, now=start + 10 * MINUTE)
    assert "Unacked" in rows(browser, start + 5 * MINUTE)
    known = versions([alarm.pk], start)
    for before in (start + 5 * MINUTE, start + 10 * MINUTE):
        with looking_back(before):
            assert Alarm.objects.get().state == known.at(alarm.pk, before).state == "B"
            assert Alarm.objects.get().acked is known.at(alarm.pk, before).acked is None
    after = start + 10 * MINUTE + SECOND
    with looking_back(after):
        assert Alarm.objects.get().suppressed == known.at(alarm.pk, after).suppressed == ["shelved"]


def test_alarm_s_page_ends_its_time_line_at_the_moment(browser, story, start):
    def events(moment):
        return [step.kind for step in browser.get(f"/alarms/{story.pk}/", at(moment)).context["steps"]]

    assert events(start + 2 * MINUTE) == ["raise"]
    assert events(start + 12 * MINUTE) == ["raise", "shelve", "unshelve"]
    assert browser.get(f"/alarms/{story.pk}/", at(start)).status_code == 404


def test_page_of_the_past_says_so_and_its_buttons_are_off(browser, story, start):
    was = browser.get("/alarms/", at(start + 2 * MINUTE)).content.decode()
    now = browser.get("/alarms/").content.decode()
    assert "not live" in was and 'id="player"' in was and "data-at=" in was
    assert "data-may-ack" not in was and "data-may-ack" in now
    assert 'id="player"' not in now and "data-at=" not in now


@pytest.mark.parametrize(
    "asked",
    ["nonsense", "2026-01-01T10:00:00", "1999-01-01T00:00:00Z", "2150-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"],
)
def test_moment_that_is_none_or_to_come_is_the_present(browser, story, asked):
    answer = browser.get("/alarms/", {"show": "unacked", "at": asked})
    assert answer.status_code == 302 and answer["Location"] == "/alarms/?show=unacked"


def test_page_without_a_past_shows_the_present(browser, story, start):
    for address in (
        "/subscriptions/",
        "/rules/",
        "/on-call/",
        "/deliveries/",
        "/trends/",
        "/incident/",
        "/maintenance/",
    ):
        page = browser.get(address, at(start + 2 * MINUTE)).content.decode()
        assert "not live" not in page and page.count("As it is now.") == 1, address
        assert "As it is now." not in browser.get(address, {"at": "nonsense"}).content.decode()
        assert "As it is now." not in browser.get(address).content.decode()
    assert "As it is now." not in browser.get("/alarms/", at(start + 2 * MINUTE)).content.decode()


def test_a_phone_has_the_way_into_the_past_among_more(browser, story, start):
    def more(page: str) -> str:
        return page[page.index('<dialog id="more"') :].partition("</dialog>")[0]

    assert 'data-act="play-back"' in more(browser.get("/alarms/").content.decode())
    assert 'data-act="play-back"' not in more(browser.get("/alarms/", at(start + 2 * MINUTE)).content.decode())
    assert 'data-act="play-back"' not in more(browser.get("/rules/").content.decode())


def test_moment_outside_the_stored_history_says_so(browser, story, start, settings):
    settings.HISTORY_RETENTION_DAYS = 30
    old = browser.get("/", at(start - timedelta(days=31))).content.decode()
    assert "Outside the stored history" in old and "No alarm had been recorded" in old
    assert "Outside the stored history" not in browser.get("/", at(start + MINUTE)).content.decode()


def test_nothing_can_be_written_while_the_past_is_looked_at(story, start):
    viewer, rows = factories.viewer(), JournalEntry.objects.count()
    with looking_back(start), pytest.raises(Written), transaction.atomic():
        services.comment(alarm_id=story.pk, user=viewer, text="x", now=start)
    assert JournalEntry.objects.count() == rows


def test_a_statement_with_tables_of_its_own_is_refused_where_it_reads_what_has_a_past(story, start):
    def read(sql):
        with looking_back(start), connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    assert read("WITH one AS (SELECT 1 AS n) SELECT n FROM one") == [(1,)]
    with pytest.raises(Unknown, match="tables of its own"):
        read('WITH mine AS (SELECT * FROM "alerts_alarm") SELECT COUNT(*) FROM mine')


def test_page_costs_the_same_number_of_queries_for_any_number_of_alarms_and_steps(browser, start):
    def cost():
        moment = start + 30 * MINUTE
        found = []
        for address in ("/", "/alarms/", "/a/press-1-1/"):
            browser.get(address, at(moment))
            with CaptureQueriesContext(
                connection,
            ) as caught:
                browser.get(address, at(moment))
            found.append(len(caught))
        return found

    press, *others = factories.plant(machines=20)
    factories.sensor(press)
    olga = factories.operator("olga")
    alarm = raised(factories.rule(press), start)
    few = cost()
    for number, other in enumerate(others):
        factories.sensor(other)
        raised(factories.rule(other), start + number * MINUTE)
        services.comment(alarm_id=alarm.pk, user=olga, text="again", now=start + number * MINUTE)
        services.silence(alarm_id=alarm.pk, user=olga, now=start + number * MINUTE)
    assert cost() == few


def test_marks_tell_where_alarms_were_raised_and_which_is_next(browser, story, start):
    fields = {"from": start.isoformat(), "to": (start + 30 * MINUTE).isoformat()}
    told = browser.get("/playback/marks", fields).json()
    assert [priority for _time, priority, _message in told["marks"]] == [2]
    assert browser.get("/playback/marks", {**fields, "assets": "press-1-2"}).json()["marks"] == []
    told = browser.get("/playback/marks", {"after": start.isoformat()}).json()
    assert instant(told["next"]) == start + MINUTE and told["previous"] is None
    later = (start + 2 * MINUTE).isoformat()
    told = browser.get("/playback/marks", {"after": later, "before": later}).json()
    assert told["next"] is None and instant(told["previous"]) == start + MINUTE
    told = browser.get("/playback/marks", {"after": start.isoformat(), "assets": "press-1-2"}).json()
    assert told == {"next": None, "previous": None}


@pytest.mark.parametrize("address", ["/playback/marks?from=x&to=y", "/playback/frames?at=x&until=y"])
def test_unclear_window_is_refused_with_what_is_missing(browser, address):
    answer = browser.get(address)
    assert answer.status_code == 400 and "is not a time like" in answer.json()["error"]


@pytest.mark.parametrize("address", ["/playback/frames", "/playback/marks"])
def test_stranger_is_told_nothing_of_the_past(client, db, address):
    assert client.get(address).status_code == 302


def told_from(browser, at, until):
    """Gives the journal's numbers that windows one after the other tell, each from where the one before ended."""
    found: list[int] = []
    for _window in range(20):
        if at >= until:
            return found
        fields = {"at": at.isoformat(), "until": until.isoformat(), "assets": ""}
        answer = browser.get("/playback/frames", fields).json()
        found += [frame["journal"] for frame in answer["frames"] if frame["type"] == "alarm"]
        on = from_us(answer["until"] * 1000)
        assert on > at
        at = on
    raise AssertionError("the windows do not come to an end")


def test_more_rows_of_one_moment_than_a_window_holds_are_all_told_and_the_tape_goes_on(browser, start, monkeypatch):
    monkeypatch.setattr(playback, "MOST_ROWS", 3)
    press = factories.plant()[0]
    factories.sensor(press)
    alarm = raised(factories.rule(press), start)
    olga = factories.operator("olga")
    whole = start.replace(microsecond=0)
    for us in (300, 300, 300, 300, 300, 300, 800, 1500, 2000, 2000, 2001):
        at = whole + MINUTE + timedelta(microseconds=us)
        services.comment(alarm_id=alarm.pk, user=olga, text="seen", now=at)
    written = list(JournalEntry.objects.filter(event="comment").order_by("pk").values_list("pk", flat=True))
    assert told_from(browser, whole + 30 * SECOND, whole + 2 * MINUTE) == written


def test_window_ends_after_an_hour_or_where_it_has_too_many_readings(browser, start, monkeypatch):
    early = start.replace(microsecond=0) - timedelta(days=700)
    fields = {"at": early.isoformat(), "until": start.isoformat(), "assets": "all"}
    assert browser.get("/playback/frames", fields).json()["until"] == to_us(early + timedelta(hours=1)) // 1000
    sensor = factories.sensor(factories.plant()[0])
    times = np.array([to_us(early) + second * 1_000_000 for second in range(3600)])
    values, good = np.arange(3600.0), np.zeros(3600, np.uint8)
    history.append(0, Batch(np.full(3600, sensor.pk, np.int32), times, values, good), np.zeros(3600, np.bool_))
    history.fold(to_us(timezone.now()))
    assert abs(history.held([sensor.pk], to_us(early), to_us(early + 10 * MINUTE)) - 600) <= 1
    monkeypatch.setattr(playback, "MOST_READINGS", 600)
    until = browser.get("/playback/frames", fields).json()["until"]
    assert abs(until - to_us(early + 10 * MINUTE) // 1000) < 2000


@pytest.mark.parametrize("address", [
    "/playback/frames?at=2026-01-01T00:00:00Z&until=9999-12-31T23:59:59-14:00",
    "/playback/marks?from=2026-01-01T00:00:00Z&to=9999-12-31T23:59:59-14:00",
])  # fmt: skip
def test_moment_that_cannot_be_reckoned_with_is_refused(browser, address):
    assert browser.get(address).status_code == 400


@pytest.mark.parametrize("name", ["alarm", "older"])
def test_number_of_thousands_of_digits_in_an_address_is_none(browser, name):
    assert browser.get("/alarms/", {name: "9" * 5000}).status_code == 200
    fields = {"at": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:01:00Z", "step": "9" * 5000}
    assert browser.get("/playback/frames", fields).status_code == 200


def test_performance_of_the_past_ends_then(browser, story, start):
    board = browser.get("/performance/", {"days": "1", **at(start + 2 * MINUTE)}).context["board"]
    assert from_us(board.figures.end) == start + 2 * MINUTE


def test_page_that_reads_the_present_s_clock_is_one_of_the_present():
    found = [
        str(pattern.name)
        for pattern in urls.urlpatterns
        if reads_the_clock(inspect.unwrap(pattern.callback), set()) and pattern.name not in OF_THE_PRESENT
    ]
    assert sorted(found) == WRITE_WITH_THE_CLOCK


def reads_the_clock(function, seen):
    """Tells whether a view, or what it calls in its module, reads the clock; not of those that only take POST."""
    source = inspect.getsource(function)
    if function in seen or "@require_POST" in source:
        return False
    seen.add(function)
    called = [function.__globals__.get(name) for name in function.__code__.co_names]
    return "timezone.now()" in source or any(
        reads_the_clock(inspect.unwrap(other), seen)
        for other in called
        if inspect.isfunction(other) and other.__module__ == function.__module__
    )


def test_before_the_first_recorded_alarm_nothing_is_said_to_be_well(browser, story, start):
    for address in ("/", "/alarms/", "/alarms/?show=unacked", f"/a/hall/line-1/{story.asset_code}/"):
        before, after = (
            browser.get(address, at(moment)).content.decode() for moment in (start - timedelta(days=1), start + MINUTE)
        )
        assert "No alarm had been recorded by then" in before and "data-alarms-unknown" in before
        for calm in ("Every rule is content", "No open alarms", "No unacknowledged alarms", "Nothing waits for you"):
            assert calm not in before
        assert '<b id="banner-unacked">–</b>' in before
        assert "data-alarms-unknown" not in after and '<b id="banner-unacked">–</b>' not in after
    overview = browser.get("/", at(start - timedelta(days=1))).content.decode()
    assert all(f'data-kpi="{name}">–<' in overview for name in ("rate", "suppressed", "open", "unacked"))
    assert "data-alarms-unknown" not in browser.get("/").content.decode()
