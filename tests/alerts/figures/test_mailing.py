"""The monthly report: printed, mailed to one address, and mailed to each subscriber once a month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils.translation import get_language

from alerts import journal
from alerts.figures import mailing, query
from alerts.models import Alarm, Contact, JournalEntry, Position, ReportSubscription
from tests import factories
from tests.alerts.notify.wire import MailServer

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 11, 1, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def october() -> Position:
    """Gives the north desk, with twelve alarms on a day of October."""
    north = Position.objects.create(code="north", name="North desk")
    start = datetime(2026, 10, 12, 8, tzinfo=UTC)
    entries = []
    for number in range(12):
        at = start + timedelta(seconds=number)
        alarm = Alarm.objects.create(
            rule_name="Hot", tag="press-1/temp", asset_code="press-1", priority=3, state="A", raised=at, closed=at,
            message="Temperature high", position="north",
        )  # fmt: skip
        entries.append(JournalEntry(time=at, event="raise", from_state="A", to_state="B", alarm=alarm, rule_id=5))
    with transaction.atomic():
        journal.write(entries, start)
    return north


def test_the_command_prints_a_month_in_words(capsys):
    call_command("alarm_report", month="2026-10", position="north")
    said = capsys.readouterr().out
    assert said.startswith("Alarm report October 2026, North desk\n")
    assert "Annunciations: 12" in said
    assert "Peak 10 min: 12 (target at most 10; ISA-18.2 / IEC 62682): missed" in said
    assert "12  press-1 Temperature high (press-1/temp)" in said
    assert "/performance/report/?month=2026-10&position=north" in said


def test_the_command_mails_text_and_html():
    call_command("alarm_report", month="2026-10", mail="boss@works.example")
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == (["boss@works.example"], "Alarm report October 2026, whole plant")
    html = sent.alternatives[0].content
    assert "EEMUA 191 level" in html
    assert "Peak 10 min" in html
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"month": "October"}, "'October' is no month; write it as 2026-10."),
        ({"month": "2999-01"}, "2999-01 has not begun."),
        ({"month": "2026-10", "position": "south"}, "There is no operator position south; there are: north."),
        ({"month": "2026-10", "mail": "boss"}, "boss is no mail address."),
    ],
)
def test_what_the_command_cannot_do_it_says_in_words(options: dict[str, Any], words: str):
    with pytest.raises(CommandError, match=words):
        call_command("alarm_report", **options)


def test_a_subscriber_gets_each_month_once_from_six_on_the_first(october: Position):
    olga = factories.operator()
    Contact.objects.create(user=olga, email="olga@home.example")
    mailing.subscribe(user=olga, position=october, now=FIRST - timedelta(days=3))
    assert mailing.send_due(FIRST - timedelta(seconds=1)) == 0
    assert mailing.send_due(FIRST) == 1
    assert mailing.send_due(FIRST + timedelta(hours=1)) == 0
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == (["olga@home.example"], "Alarm report October 2026, North desk")


def test_each_has_the_report_in_their_own_language_and_one_report_is_made_for_all(
    october: Position, monkeypatch: pytest.MonkeyPatch
):
    made = []

    def report(**given: Any) -> Any:
        made.append(given)
        return query.report(**given)

    monkeypatch.setattr(mailing, "report", report)
    for user, language in ((factories.operator(), "de"), (factories.viewer(), "en"), (factories.engineer(), "de")):
        Contact.objects.create(user=user, language=language)
        mailing.subscribe(user=user, position=october, now=FIRST - timedelta(days=3))
    assert mailing.send_due(FIRST) == 3
    assert [sent.subject for sent in mail.outbox] == [
        "Alarmbericht Oktober 2026, North desk",
        "Alarm report October 2026, North desk",
        "Alarmbericht Oktober 2026, North desk",
    ]
    assert ["Stufe nach EEMUA 191" in sent.body for sent in mail.outbox] == [True, False, True]
    assert ["Stufe nach EEMUA 191" in sent.alternatives[0].content for sent in mail.outbox] == [True, False, True]
    assert len(made) == 1


def test_who_subscribes_within_a_month_is_not_sent_the_one_before():
    mailing.subscribe(user=factories.operator(), position=None, now=FIRST + timedelta(days=9))
    assert mailing.send_due(FIRST + timedelta(days=9)) == 0
    assert mailing.send_due(datetime(2026, 12, 1, 7, tzinfo=UTC)) == 1


def test_what_was_missed_on_the_first_goes_out_later_and_people_without_address_or_account_are_left_out():
    people = [factories.operator(), factories.viewer(), factories.engineer()]
    for person in people:
        mailing.subscribe(user=person, position=None, now=FIRST - timedelta(days=3))
    type(people[1]).objects.filter(pk=people[1].pk).update(email="")
    type(people[2]).objects.filter(pk=people[2].pk).update(is_active=False)
    assert mailing.send_due(FIRST + timedelta(days=4)) == 1


def test_subscribing_twice_is_subscribing_once_and_ends_with_one_word(october: Position):
    olga = factories.operator()
    for position in (october, None, october, None):
        mailing.subscribe(user=olga, position=position, now=FIRST)
    assert ReportSubscription.objects.count() == 2
    mailing.unsubscribe(user=olga, position=None)
    assert ReportSubscription.objects.get().position == october


def test_a_report_that_could_not_be_written_is_still_due_and_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch):
    first, second = factories.operator(), factories.viewer()
    Contact.objects.create(user=first, language="de")
    for person in (first, second):
        mailing.subscribe(user=person, position=None, now=FIRST - timedelta(days=3))

    def broken(written: mailing.Paper) -> str:
        if get_language() == "de":
            raise LookupError("no such word")
        return in_text(written)

    in_text = mailing.in_text
    monkeypatch.setattr(mailing, "in_text", broken)
    with pytest.raises(mailing.NotSent, match="1 reports of 2026-10 were not taken: no such word"):
        mailing.send_due(FIRST)
    assert ReportSubscription.objects.get(user=first).sent_for < "2026-10"
    assert [sent.to for sent in mail.outbox] == [[second.email]]
    monkeypatch.setattr(mailing, "in_text", in_text)
    assert mailing.send_due(FIRST + timedelta(minutes=10)) == 1
    assert [sent.to for sent in mail.outbox] == [[second.email], [first.email]]


def test_a_report_whose_figures_fail_is_asked_for_once_and_keeps_nobody_waiting(
    october: Position, monkeypatch: pytest.MonkeyPatch
):
    south = Position.objects.create(code="south", name="South desk")
    people = [factories.operator(), factories.viewer(), factories.engineer()]
    for person, position in zip(people, (october, october, south), strict=True):
        mailing.subscribe(user=person, position=position, now=FIRST - timedelta(days=3))
    asked = []

    def report(**given: Any) -> Any:
        asked.append(given["position"])
        if given["position"] == october:
            raise LookupError("no such month")
        return query.report(**given)

    monkeypatch.setattr(mailing, "report", report)
    with pytest.raises(mailing.NotSent, match="2 reports of 2026-10 were not taken: no such month"):
        mailing.send_due(FIRST)
    assert [sent.to for sent in mail.outbox] == [[people[2].email]]
    assert asked == [october, south]
    monkeypatch.setattr(mailing, "report", query.report)
    assert mailing.send_due(FIRST + timedelta(minutes=10)) == 2


def test_a_mail_that_was_not_taken_is_tried_again_and_the_others_are_not(settings: Any):
    for person in (factories.operator(), factories.viewer()):
        mailing.subscribe(user=person, position=None, now=FIRST - timedelta(days=3))
    server = MailServer()
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    try:
        server.answers["operator@works.example"] = "451 busy"
        with pytest.raises(mailing.NotSent, match="1 reports of 2026-10 were not taken"):
            mailing.send_due(FIRST)
        server.answers.clear()
        assert mailing.send_due(FIRST) == 1
    finally:
        server.stop()
    assert [sent["To"] for sent in server.mails] == ["viewer@works.example", "operator@works.example"]
