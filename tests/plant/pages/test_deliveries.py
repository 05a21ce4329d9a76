"""The log of messages: what went out, what did not, and why; what was given up can be sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alerts import journal
from alerts.models import Alarm, Attempt, Delivery, JournalEntry, Team, TeamChannel
from plant.pages.deliveries import ROWS
from tests import factories

PAGE = "/deliveries/"
BUDGET = 20
NOW = datetime(2026, 3, 2, 6, 0, 30, tzinfo=UTC)
numbers = count(1)


def read(answer: Any) -> str:
    """Gives an answer's page with blanks in one piece."""
    return " ".join(answer.content.decode().split())


def alarm(**fields: Any) -> Alarm:
    """Makes an alarm that is over."""
    return Alarm.objects.create(**{
        "rule_name": "Hot", "tag": "", "asset_code": "press-1", "priority": 2, "state": "A", "raised": NOW,
        "message": "Temperature high", "closed": NOW, **fields,
    })  # fmt: skip


def message(user: User, of: Alarm | None = None, **fields: Any) -> Delivery:
    """Makes an email about an alarm that was sent two seconds after its raise, unless `fields` says otherwise."""
    of = of or alarm()
    return Delivery.objects.create(**{
        "key": str(next(numbers)), "user": user, "alarm": of, "event": "raise", "channel": "email",
        "address": f"{user.get_username()}@works.example", "outcome": "sent", "reason": "your subscription: Hall",
        "attempts": 1, "answer": "accepted by mail.works.example", "created": NOW, "due": NOW,
        "sent": NOW + timedelta(seconds=2), **fields,
    })  # fmt: skip


@pytest.fixture
def operator(browser: Client) -> User:
    """Gives the browser's person."""
    return User.objects.get(username="operator")


def shown(answer: Any) -> list[int]:
    """Gives the numbers of the messages in the log."""
    return [line.delivery.pk for line in answer.context["lines"]]


def test_a_line_says_what_was_sent_where_why_and_how_fast(browser: Client, operator: User) -> None:
    of = alarm()
    message(operator, of)
    page = read(browser.get(PAGE))
    for part in (
        f'href="{reverse("alarm", args=[of.pk])}"', "<b>press-1</b> Temperature high", "operator@works.example",
        "Your subscription: Hall", "accepted by mail.works.example", "2.0 s", ">Sent<", 'aria-label="High"',
    ):  # fmt: skip
        assert part in page


def test_the_time_taken_counts_from_the_return_to_normal_for_a_message_about_it(
    browser: Client, operator: User
) -> None:
    of = alarm(raised=NOW - timedelta(hours=3))
    entry = JournalEntry(event="clear", from_state="B", to_state="D", alarm=of, time=NOW - timedelta(seconds=5))
    with transaction.atomic():
        journal.write([entry], NOW)
    message(operator, of, event="clear", journal_id=entry.pk)
    line = browser.get(PAGE).context["lines"][0]
    assert (line.seconds, line.happened) == (7.0, "returned to normal")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"outcome": "withheld", "reason": "outside your hours (Sun none)"}, "Outside your hours (Sun none)"),
        ({"outcome": "due", "attempts": 2, "answer": "Connection refused", "due": NOW}, "Next try at 06:00:30"),
        ({"outcome": "due", "attempts": 2, "answer": "Connection refused"}, "Connection refused"),
        ({"outcome": "dead", "reason": "refused: 550 no such user", "answer": "550 no such user"},
         "Refused: 550 no such user"),
    ],
)  # fmt: skip
def test_a_message_that_was_not_sent_says_why(
    browser: Client, operator: User, fields: dict[str, Any], words: str
) -> None:
    message(operator, **{"answer": "", "sent": None, **fields})
    assert words in read(browser.get(PAGE))


def test_a_provider_s_words_are_not_said_twice(browser: Client, operator: User) -> None:
    message(operator, outcome="dead", reason="refused: 550 no such user", answer="550 no such user", sent=None)
    assert [line.answer for line in browser.get(PAGE).context["lines"]] == [""]


def test_the_log_is_narrowed_by_outcome_and_channel(browser: Client, operator: User) -> None:
    sent, text = message(operator), message(operator, channel="sms")
    due = message(operator, outcome="due", sent=None)
    sending = message(operator, outcome="sending", sent=None, channel="sms")
    withheld, dead = message(operator, outcome="withheld", sent=None), message(operator, outcome="dead", sent=None)
    assert shown(browser.get(PAGE)) == [dead.pk, withheld.pk, sending.pk, due.pk, text.pk, sent.pk]
    assert shown(browser.get(PAGE, {"outcome": "waiting"})) == [sending.pk, due.pk]
    assert shown(browser.get(PAGE, {"outcome": "withheld"})) == [withheld.pk]
    assert shown(browser.get(PAGE, {"outcome": "sent", "channel": "sms"})) == [text.pk]
    assert len(shown(browser.get(PAGE, {"outcome": "nonsense", "channel": "x", "before": "y"}))) == 6
    assert "No message matches the filter" in read(browser.get(PAGE, {"outcome": "dead", "channel": "sms"}))


def test_older_messages_are_one_page_further(browser: Client, operator: User) -> None:
    of = alarm()
    made = [message(operator, of).pk for _ in range(ROWS + 3)][::-1]
    first = browser.get(PAGE, {"channel": "email"})
    assert shown(first) == made[:ROWS]
    second = browser.get(first.context["older"])
    assert shown(second) == made[ROWS:]
    assert second.context["older"] == ""
    assert second.context["newest"] == "/deliveries/?channel=email"


def test_a_person_sees_their_own_messages_and_staff_may_see_everybodys(browser: Client, operator: User) -> None:
    mine, other = message(operator), message(factories.viewer())
    assert shown(browser.get(PAGE, {"who": "all"})) == [mine.pk]
    staff = Client()
    staff.force_login(factories.engineer())
    assert shown(staff.get(PAGE)) == []
    everybody = staff.get(PAGE, {"who": "all"})
    assert shown(everybody) == [other.pk, mine.pk]
    assert "Vera Viewer" in read(everybody)


def test_what_was_given_up_stands_on_top_and_is_sent_again(browser: Client, operator: User) -> None:
    dead = message(operator, outcome="dead", attempts=8, reason="given up after 8 tries: busy", sent=None)
    message(operator)
    page = browser.get(PAGE)
    assert [line.delivery.pk for line in page.context["dead"]] == [dead.pk]
    answer = browser.post(reverse("delivery-resend", args=[dead.pk]), {"next": PAGE + "?channel=email"}, follow=True)
    assert answer.redirect_chain == [(PAGE + "?channel=email", 302)]
    assert f"Message {dead.pk} waits to be sent again." in read(answer)
    dead.refresh_from_db()
    assert (dead.outcome, dead.attempts) == ("due", 0)
    assert answer.context["dead"] == []


def test_what_was_not_given_up_is_not_sent_again(browser: Client, operator: User) -> None:
    sent = message(operator)
    answer = browser.post(reverse("delivery-resend", args=[sent.pk]), {"next": "https://evil.example/"}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "This message was not given up: Sent." in read(answer)


def test_anothers_message_answers_as_one_that_is_not_there_but_staff_may_resend_it(
    browser: Client, operator: User
) -> None:
    dead = message(factories.viewer(), outcome="dead", sent=None)
    for number in (dead.pk, 987654):
        assert browser.post(reverse("delivery-resend", args=[number])).status_code == 404
    dead.refresh_from_db()
    assert dead.outcome == "dead"
    staff = Client()
    staff.force_login(factories.engineer())
    staff.post(reverse("delivery-resend", args=[dead.pk]))
    dead.refresh_from_db()
    assert dead.outcome == "due"


def test_many_that_were_given_up_lead_to_their_list(browser: Client, operator: User) -> None:
    for _ in range(7):
        message(operator, outcome="dead", sent=None)
    page = browser.get(PAGE)
    assert len(page.context["dead"]) == 5
    listed = browser.get(page.context["more_dead"])
    assert len(shown(listed)) == 7
    assert read(listed).count(">Resend<") == 7


def test_rows_alone_tell_which_messages_are_still_on_their_way(browser: Client, operator: User) -> None:
    waiting = message(operator, None, outcome="due", attempts=0, sent=None)
    message(operator)
    rows = read(browser.get(PAGE, {"fragment": "1"}))
    assert "<main" not in rows
    assert f'id="message-{waiting.pk}" data-outcome="due" data-moving' in rows
    assert rows.count("data-moving") == 1


def test_the_page_costs_the_same_number_of_queries_for_3_and_for_300_rows(browser: Client, operator: User) -> None:
    def cost() -> list[str]:
        browser.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(PAGE).status_code == 200
        return [query["sql"][:160] for query in queries.captured_queries]

    for outcome in ("dead", "sent", "due"):
        message(operator, outcome=outcome)
    small = cost()
    for number in range(297):
        message(operator, outcome=("dead", "sent", "due", "withheld")[number % 4])
    large = cost()
    assert len(large) == len(small), "\n".join(large)
    assert len(large) <= BUDGET, "\n".join(large)


# --- Every try -----------------------------------------------------------------------------------------------------


def tried(of: Delivery, *outcomes: str) -> None:
    """Writes tries of a message, a second apart."""
    for number, outcome in enumerate(outcomes, 1):
        Attempt.objects.create(
            delivery=of, number=number, began=NOW + timedelta(seconds=number), ended=NOW, outcome=outcome,
            answer=f"answer {number}",
        )  # fmt: skip


def test_each_try_stands_with_its_answer(browser: Client, operator: User) -> None:
    tried(message(operator), "failed", "sent")
    page = read(browser.get(PAGE))
    assert "2 tries" in page and "<b>Failed</b><span>answer 1</span>" in page and "<b>Sent</b>" in page


def test_what_was_perhaps_sent_twice_is_marked_counted_and_found(browser: Client, operator: User) -> None:
    doubtful = message(operator, unlearned=1)
    message(operator)
    page = read(browser.get(PAGE))
    assert "perhaps sent twice</small>" in page and "1 message was perhaps sent twice" in page
    assert shown(browser.get(PAGE, {"outcome": "twice"})) == [doubtful.pk]


def test_what_is_let_be_stays_in_the_log_and_leaves_the_top(browser: Client, operator: User) -> None:
    dead = message(operator, outcome="dead", reason="refused: no such number", given_up=NOW)
    assert [line.delivery.pk for line in browser.get(PAGE).context["dead"]] == [dead.pk]
    page = read(browser.post(reverse("delivery-dismiss", args=[dead.pk]), follow=True))
    assert f"Message {dead.pk} stays as it is." in page and "Let be at" in page
    answer = browser.get(PAGE)
    assert answer.context["dead"] == [] and shown(answer) == [dead.pk]


def test_anothers_message_cannot_be_let_be(browser: Client, operator: User) -> None:
    dead = message(factories.viewer(), outcome="dead", given_up=NOW)
    assert browser.post(reverse("delivery-dismiss", args=[dead.pk])).status_code == 404


def test_a_message_to_a_team_is_shown_by_the_teams_name_to_staff_only(browser: Client, operator: User) -> None:
    team = TeamChannel.objects.create(name="Maintenance", url="slack://secret/secret/secret")
    made = message(operator, channel="team", address="Maintenance")
    Delivery.objects.filter(pk=made.pk).update(user=None, team=team)
    assert shown(browser.get(PAGE, {"who": "all"})) == []
    browser.force_login(factories.engineer())
    page = read(browser.get(PAGE, {"who": "all"}))
    assert "<b>Maintenance</b>" in page and "Team channel" in page and "secret" not in page


def test_a_message_to_a_team_is_shown_by_the_team_and_its_channel(browser: Client, operator: User) -> None:
    fitters = Team.objects.create(code="fitters", name="Fitters")
    chat = TeamChannel.objects.create(name="Workshop chat", team=fitters, url="slack://secret/secret/secret")
    made = message(operator, channel="team", address="Workshop chat")
    Delivery.objects.filter(pk=made.pk).update(user=None, team=chat)
    browser.force_login(factories.engineer())
    page = read(browser.get(PAGE, {"who": "all"}))
    assert "<b>Fitters</b>" in page and "Workshop chat" in page and "secret" not in page
    (item,) = browser.get("/api/v1/deliveries?everybody=true").json()["items"]
    assert (item["user"], item["team"], item["address"]) == (None, "Fitters", "Workshop chat")


# --- The API -------------------------------------------------------------------------------------------------------


def test_the_api_gives_ones_own_messages_with_every_try(browser: Client, operator: User) -> None:
    mine = message(operator, unlearned=1)
    message(factories.viewer())
    tried(mine, "unknown", "sent")
    listed = browser.get("/api/v1/deliveries").json()
    assert ([item["id"] for item in listed["items"]], listed["next"]) == ([mine.pk], None)
    one = browser.get(f"/api/v1/deliveries/{mine.pk}").json()
    assert one["perhaps_sent_besides"] == 1 and one["user"] == "operator"
    assert [(each["number"], each["outcome"], each["answer"]) for each in one["tries"]] == [
        (1, "unknown", "answer 1"), (2, "sent", "answer 2"),
    ]  # fmt: skip


def test_the_api_sends_again_or_lets_be_what_was_given_up_and_nothing_else(browser: Client, operator: User) -> None:
    dead, sent = message(operator, outcome="dead", given_up=NOW), message(operator)
    assert browser.post(f"/api/v1/deliveries/{dead.pk}/dismiss").json()["dismissed"] is not None
    assert browser.post(f"/api/v1/deliveries/{dead.pk}/resend").json()["outcome"] == "due"
    assert browser.post(f"/api/v1/deliveries/{sent.pk}/resend").status_code == 409
    assert browser.post(f"/api/v1/deliveries/{sent.pk}/dismiss").status_code == 409


def test_anothers_message_is_not_in_the_api_but_for_staff(browser: Client, operator: User) -> None:
    theirs = message(factories.viewer(), outcome="dead", given_up=NOW)
    for address in ("", "/resend", "/dismiss"):
        ask = browser.get if not address else browser.post
        assert ask(f"/api/v1/deliveries/{theirs.pk}{address}").status_code == 404
    browser.force_login(factories.engineer())
    assert browser.get(f"/api/v1/deliveries/{theirs.pk}").json()["user"] == "viewer"


def test_the_api_pages_and_narrows(browser: Client, operator: User) -> None:
    made = [message(operator, outcome=outcome) for outcome in ("sent", "dead", "sent")]
    first = browser.get("/api/v1/deliveries", {"outcome": "sent", "limit": 1}).json()
    assert [item["id"] for item in first["items"]] == [made[2].pk]
    second = browser.get("/api/v1/deliveries", {"outcome": "sent", "cursor": first["next"]}).json()
    assert [item["id"] for item in second["items"]] == [made[0].pk]
    assert browser.get("/api/v1/deliveries", {"outcome": "lost"}).status_code == 422
