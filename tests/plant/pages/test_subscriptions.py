"""The page on which a person chooses what reaches them; everything in it works without a script."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts import journal, subscriptions
from alerts.models import Alarm, Contact, Delivery, JournalEntry, Subscription
from alerts.notify import hours
from alerts.notify.hours import Span
from tests import factories

PAGE, ADD = "/subscriptions/", "/subscriptions/add"
BUDGET = 22
OWN = {
    "asset": "hall", "lowest_priority": "2", "channel": "sms", "when": "own",
    "days-0": ["0", "1", "2", "3", "4"], "from-0": "06:00", "to-0": "14:00",
    "days-4": ["5"], "from-4": "22", "to-4": "6",
}  # fmt: skip


def read(answer: Any) -> str:
    """Gives an answer's page with blanks in one piece."""
    return " ".join(answer.content.decode().split())


def subscribed(browser: Client, **fields: Any) -> Subscription:
    """Subscribes the browser's person to all of the plant by email unless `fields` says otherwise."""
    user_id = browser.session["_auth_user_id"]
    values = {"lowest_priority": 4, "channel": "email", **fields}
    return Subscription.objects.create(user_id=user_id, **values)


def raised(count: int, priority: int = 2) -> None:
    """Writes alarms of the last hour with their journal rows."""
    now = timezone.now()
    made = [
        Alarm.objects.create(
            rule_name="Hot", tag="", asset_code="", priority=priority, state="A", raised=now - timedelta(minutes=9),
            message="Hot", closed=now,
        )
        for _ in range(count)
    ]  # fmt: skip
    from django.db import transaction

    with transaction.atomic():
        rows = [JournalEntry(event="raise", from_state="A", to_state="B", alarm=one, time=one.raised) for one in made]
        journal.write(rows, now - timedelta(minutes=9))


def test_a_subscription_is_added_with_hours_of_ones_own_over_midnight(browser: Client) -> None:
    factories.plant()
    answer = browser.post(ADD, OWN, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    stored = Subscription.objects.get()
    assert stored.asset is not None
    assert (stored.asset.code, stored.lowest_priority, stored.channel) == ("hall", 2, "sms")
    assert stored.hours == hours.hours_of([Span((0, 1, 2, 3, 4), 360, 840), Span((5,), 1320, 360)])
    page = read(answer)
    assert "Saved. Critical and high alarms of Hall by SMS, Mon to Fri 06:00 to 14:00 and Sat 22:00 to 06:00." in page
    assert "<b>Critical and high alarms of Hall by SMS</b>, Mon to Fri 06:00 to 14:00 and Sat 22:00 to 06:00." in page


@pytest.mark.parametrize(
    ("when", "week"), [("always", None), ("work", hours.hours_of(hours.PRESETS["work"])),
                       ("nights", hours.hours_of(hours.PRESETS["nights"]))],
)  # fmt: skip
def test_presets_give_their_hours_whatever_stands_in_the_other_fields(browser: Client, when: str, week: Any) -> None:
    browser.post(ADD, {**OWN, "asset": "", "when": when})
    assert Subscription.objects.get().hours == week
    form = browser.get(reverse("subscription", args=[Subscription.objects.get().pk])).context["form"]
    assert form.when == when


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"from-0": "25:00"}, "“25:00” is no time of day. Write one from 00:00 to 23:59."),
        ({"to-0": ""}, "Write from when to when, such as 06:00 to 14:00."),
        ({"to-0": "06:00"}, "From and to are the same. For a whole day write 00:00 to 24:00."),
        ({"days-0": []}, "Choose at least one weekday."),
        ({"asset": "moon"}, "There is no “moon” in the plant. Choose from the list."),
        ({"channel": ""}, "Choose email, SMS or browser."),
        ({"lowest_priority": ""}, "Choose how important an alarm must be at least."),
        ({"when": "later"}, "Choose when messages may come."),
        ({"days-0": [], "from-0": "", "to-0": "", "days-4": [], "from-4": "", "to-4": ""}, "No hours are chosen"),
    ],
)
def test_a_mistake_is_shown_in_words_and_what_was_typed_stays(
    browser: Client, fields: dict[str, Any], words: str
) -> None:
    factories.plant()
    answer = browser.post(ADD, {**OWN, **fields})
    assert answer.status_code == 400
    assert words in read(answer)
    assert 'value="22"' in read(answer) or fields.get("from-4") == ""
    assert not Subscription.objects.exists()


def test_what_it_means_can_be_looked_at_before_it_is_saved(browser: Client) -> None:
    raised(3)
    answer = browser.post(ADD, {"lowest_priority": "2", "channel": "email", "when": "always", "look": "1"})
    page = read(answer)
    assert "Critical and high alarms of the whole plant by email, at any time." in page
    assert "By itself last week: 3 emails, 0 SMS" in page
    assert not Subscription.objects.exists()


def test_looking_at_a_change_does_not_store_it(browser: Client) -> None:
    made = subscribed(browser)
    where = reverse("subscription", args=[made.pk])
    browser.post(where, {"lowest_priority": "1", "channel": "email", "when": "always", "look": "1"})
    made.refresh_from_db()
    assert made.lowest_priority == 4
    browser.post(where, {"lowest_priority": "1", "channel": "email", "when": "always"})
    made.refresh_from_db()
    assert made.lowest_priority == 1


def test_a_subscription_is_switched_off_and_on_and_deleted(browser: Client) -> None:
    made = subscribed(browser)
    off = browser.post(reverse("subscription-switch", args=[made.pk]), {"on": "0"}, follow=True)
    assert "Switched off: All alarms of the whole plant by email." in read(off)
    assert 'aria-checked="false"' in read(off)
    browser.post(reverse("subscription-switch", args=[made.pk]), {"on": "1"})
    made.refresh_from_db()
    assert made.enabled
    gone = browser.post(reverse("subscription-delete", args=[made.pk]), follow=True)
    assert "Deleted: All alarms of the whole plant by email." in read(gone)
    assert "Nothing reaches you yet" in read(gone)


def test_another_persons_subscription_answers_as_one_that_is_not_there(browser: Client) -> None:
    other = Subscription.objects.create(user=factories.viewer(), channel="email")
    for name in ("subscription", "subscription-switch", "subscription-delete"):
        for number in (other.pk, 987654):
            assert browser.post(reverse(name, args=[number]), {"on": "0"}).status_code == 404
    assert browser.get(reverse("subscription", args=[other.pk])).status_code == 404
    assert "All alarms" not in read(browser.get(PAGE))
    assert Subscription.objects.get().enabled


def test_nothing_is_changed_by_looking(browser: Client) -> None:
    made = subscribed(browser)
    for name in ("subscription-switch", "subscription-delete"):
        assert browser.get(reverse(name, args=[made.pk])).status_code == 405
    assert browser.get(reverse("subscription-test")).status_code == 405


def test_addresses_are_saved_and_mistakes_stand_under_their_fields(browser: Client) -> None:
    where = reverse("subscription-contact")
    wrong = browser.post(where, {"email": "olga", "phone": "0151 1234", "time_zone": "Mars"})
    page = read(wrong)
    assert wrong.status_code == 400
    assert page.count('aria-invalid="true"') == 3
    assert 'value="0151 1234"' in page
    assert "operator@works.example, 0151 1234" not in page
    assert not Contact.objects.filter(phone="0151 1234").exists()
    right = browser.post(where, {"email": "", "phone": "+49 151 1234567", "time_zone": "Europe/Berlin"}, follow=True)
    assert "Your addresses are saved." in read(right)
    assert Contact.objects.get().phone == "+491511234567"


def test_a_channel_without_an_address_says_that_nothing_can_be_sent(browser: Client) -> None:
    subscribed(browser, channel="sms")
    raised(2)
    page = read(browser.get(PAGE))
    assert "Nothing can be sent: no mobile number. Write one under My addresses." in page
    assert "With these settings last week: 0 emails, 0 SMS" in page


def test_last_week_is_counted_together_and_for_each(browser: Client) -> None:
    subscribed(browser)
    subscribed(browser, lowest_priority=1)
    raised(4)
    raised(1, priority=1)
    page = read(browser.get(PAGE))
    assert "With these settings last week: 5 emails, 0 SMS" in page
    assert "5 last week" in page
    assert "1 last week" in page


def test_a_test_message_waits_in_the_log(browser: Client) -> None:
    answer = browser.post(reverse("subscription-test"), {"channel": "email"}, follow=True)
    assert answer.redirect_chain == [("/deliveries/", 302)]
    assert "A test goes to operator@works.example." in read(answer)
    assert "Test message" in read(answer)
    assert Delivery.objects.get().outcome == "due"


def test_a_test_without_an_address_says_why_not(browser: Client) -> None:
    answer = browser.post(reverse("subscription-test"), {"channel": "sms"}, follow=True)
    assert "The test was not sent: no mobile number." in read(answer)
    assert browser.post(reverse("subscription-test"), {"channel": "pigeon"}).status_code == 404


@pytest.mark.parametrize(
    ("email", "sms", "words"),
    [
        ("", "", "Nothing leaves this machine: messages are written to"),
        ("smtp://x", "", "No SMS leaves this machine"),
        ("", "json://x", "No email leaves this machine"),
        ("smtp://x", "json://x", ""),
    ],
)
def test_the_page_says_when_messages_stay_on_this_machine(
    browser: Client, settings: Any, email: str, sms: str, words: str
) -> None:
    settings.EMAIL_URL, settings.SMS_URL = email, sms
    settings.OUTBOX_DIR = settings.BASE_DIR / "var" / "outbox"
    for page in (PAGE, ADD, "/deliveries/"):
        said = read(browser.get(page))
        assert words in said
        assert ("var/outbox/" in said) is bool(words)
        assert ("outbox-notice" in said) is bool(words)


def test_every_place_of_the_plant_can_be_chosen(browser: Client) -> None:
    factories.plant(lines=2, machines=2)
    page = read(browser.get(ADD + "?asset=press-2-1"))
    assert '<option value="press-2-1" selected>Press 2.1 · Line 2</option>' in page
    assert '<option value="hall">Hall, all of it</option>' in page


def test_the_page_costs_the_same_number_of_queries_for_3_and_for_300_rows(browser: Client) -> None:
    machines = factories.plant(lines=1, machines=3)

    def cost() -> list[str]:
        browser.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(PAGE).status_code == 200
        return [query["sql"][:160] for query in queries.captured_queries]

    for number in range(3):
        subscribed(browser, asset=machines[number])
    raised(3)
    small = cost()
    user_id = Subscription.objects.first().user_id  # type: ignore[union-attr]  # was just made
    Subscription.objects.bulk_create(
        Subscription(user_id=user_id, channel="sms", asset=machines[number % 3], lowest_priority=number % 4 + 1)
        for number in range(297)
    )
    raised(297)
    large = cost()
    assert len(large) == len(small), "\n".join(large)
    assert len(large) <= BUDGET, "\n".join(large)


def test_a_week_shows_when_each_channel_is_open(browser: Client) -> None:
    subscribed(browser, hours=hours.hours_of([Span((0,), 360, 840)]))
    subscribed(browser, hours=hours.hours_of([Span((0,), 800, 900)]))
    subscribed(browser, channel="sms", enabled=False)
    days = browser.get(PAGE).context["week"]
    assert days[0].bars == [("email", [(360, 540)]), ("sms", []), ("push", [])]
    assert days[1].bars == [("email", []), ("sms", []), ("push", [])]


def test_too_many_tests_are_refused_in_words(browser: Client) -> None:
    for _ in range(subscriptions.TESTS):
        browser.post(reverse("subscription-test"), {"channel": "email"})
    answer = browser.post(reverse("subscription-test"), {"channel": "email"}, follow=True)
    assert "Try again later." in read(answer)
