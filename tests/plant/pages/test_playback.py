"""`?at=` shows a page as it was; what it asks for is of then too; nothing of it acts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts import services
from alerts.book import Book
from alerts.models import Alarm, JournalEntry
from alerts.past import Written, looking_back, versions
from plant.playback import instant
from tests import factories

pytestmark = pytest.mark.django_db

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


@pytest.mark.parametrize("asked", ["nonsense", "2026-01-01T10:00:00", "1999-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_moment_that_is_none_or_to_come_is_the_present(browser, story, asked):
    answer = browser.get("/alarms/", {"show": "unacked", "at": asked})
    assert answer.status_code == 302 and answer["Location"] == "/alarms/?show=unacked"


def test_page_without_a_past_shows_the_present(browser, story, start):
    assert b"not live" not in browser.get("/subscriptions/", at(start + 2 * MINUTE)).content


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
    fields = {"from": start.isoformat(), "to": (start + 30 * MINUTE).isoformat(), "after": start.isoformat()}
    told = browser.get("/playback/marks", fields).json()
    assert [priority for _time, priority, _message in told["marks"]] == [2]
    assert instant(told["next"]) == start + MINUTE and told["previous"] is None
    later = (start + 2 * MINUTE).isoformat()
    told = browser.get("/playback/marks", {**fields, "after": later, "before": later}).json()
    assert told["next"] is None and instant(told["previous"]) == start + MINUTE
    told = browser.get("/playback/marks", {**fields, "assets": "press-1-2"}).json()
    assert told["marks"] == [] and told["next"] is None


@pytest.mark.parametrize("address", ["/playback/marks?from=x&to=y", "/playback/frames?at=x&until=y"])
def test_unclear_window_is_refused_with_what_is_missing(browser, address):
    answer = browser.get(address)
    assert answer.status_code == 400 and "is not a time like" in answer.json()["error"]


@pytest.mark.parametrize("address", ["/playback/frames", "/playback/marks"])
def test_stranger_is_told_nothing_of_the_past(client, db, address):
    assert client.get(address).status_code == 302
