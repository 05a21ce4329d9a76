"""Who is told of an alarm, who is not, and the reason that stands in the outbox."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts import journal
from alerts.models import Alarm, Delivery, Subscription
from alerts.notify import routing
from devices.models import Asset
from tests import factories

from .cast import NOW, alarm, machine, person, row, subscribe, told

pytestmark = pytest.mark.django_db

ALWAYS = [[[0, 1440]]] * 7
EARLY = [[[360, 840]]] * 5 + [[], []]  # Monday to Friday, 06:00 to 14:00


def outcomes(*rows: Any) -> list[tuple[str, str, str]]:
    """Gives person, channel and outcome, with the reason where nothing is sent."""
    return [
        (made.user.get_username(), made.channel, made.reason if made.outcome == "withheld" else made.outcome)
        for made in told(*rows)
    ]


def test_an_alarm_reaches_those_who_subscribe_to_a_place_above_it() -> None:
    first, second = factories.plant(machines=2)
    for name, place in (
        ("all", None),
        ("hall", "hall"),
        ("line", "line-1"),
        ("one", first.code),
        ("other", second.code),
    ):
        subscribe(person(name), asset=Asset.objects.get(code=place) if place else None)
    found = told(row(alarm(first)))
    assert [made.user.get_username() for made in found] == ["all", "hall", "line", "one"]
    assert {made.outcome for made in found} == {"due"}
    assert [made.reason for made in found][:2] == [
        "your subscription: the whole plant, 4 Low and above",
        "your subscription: Hall, 4 Low and above",
    ]


@pytest.mark.parametrize(("lowest", "priority", "reached"), [(1, 1, True), (1, 2, False), (3, 3, True), (3, 4, False)])
def test_lower_priorities_than_asked_for_reach_nobody(lowest: int, priority: int, reached: bool) -> None:
    subscribe(person(), lowest_priority=lowest)
    assert bool(told(row(alarm(machine(), priority=priority)))) is reached


def test_two_subscriptions_of_a_channel_give_one_message() -> None:
    made = machine()
    olga = person()
    subscribe(olga, asset=made, hours=EARLY)
    subscribe(olga)
    subscribe(olga, "sms")
    late = NOW + timedelta(hours=12)
    assert [(d.channel, d.outcome) for d in told(row(alarm(made)), now=late)] == [("email", "due"), ("sms", "due")]


def test_people_who_left_and_subscriptions_that_are_off_count_for_nothing() -> None:
    subscribe(person("gone", is_active=False))
    subscribe(person("quiet"), enabled=False)
    assert told(row(alarm(machine()))) == []


@pytest.mark.parametrize(
    ("zone", "at", "reason"),
    [
        ("UTC", "2026-03-02 06:00", ""),
        ("UTC", "2026-03-02 05:59", "outside your hours (Mon 06:00 to 14:00)"),
        ("UTC", "2026-03-02 13:59", ""),
        ("UTC", "2026-03-02 14:00", "outside your hours (Mon 06:00 to 14:00)"),
        ("UTC", "2026-03-01 10:00", "outside your hours (Sun none)"),
        # Berlin, winter and summer: the wall clock counts
        ("Europe/Berlin", "2026-03-27 05:00", ""),
        ("Europe/Berlin", "2026-03-27 04:59", "outside your hours (Fri 06:00 to 14:00)"),
        ("Europe/Berlin", "2026-03-30 04:00", ""),
        ("Europe/Berlin", "2026-03-30 03:59", "outside your hours (Mon 06:00 to 14:00)"),
        # another day there
        ("Pacific/Auckland", "2026-03-01 17:30", ""),
        ("Pacific/Auckland", "2026-03-06 17:30", "outside your hours (Sat none)"),
        # an unknown zone is the plant's
        ("Mars/Olympus", "2026-03-02 06:00", ""),
    ],
)
def test_weekly_hours_go_by_the_persons_own_clock(zone: str, at: str, reason: str) -> None:
    subscribe(person(zone=zone), hours=EARLY)
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    found = told(row(alarm(machine(), raised=now)), now=now)
    assert [(made.outcome, made.reason) for made in found if reason] == ([("withheld", reason)] if reason else [])
    assert [made.outcome for made in found] == ["withheld" if reason else "due"]


@pytest.mark.parametrize("hours", [None, ALWAYS])
def test_no_hours_are_all_hours(hours: Any) -> None:
    for hour in range(0, 168, 7):
        assert routing.within_hours(hours, NOW + timedelta(hours=hour), ZoneInfo("Europe/Berlin"))


def test_the_hour_that_comes_twice_counts_twice_and_the_one_left_out_not_at_all() -> None:
    night = [[[120, 180]]] * 7  # 02:00 to 03:00
    berlin = ZoneInfo("Europe/Berlin")

    def minutes_on(day: datetime) -> int:
        return sum(routing.within_hours(night, day + timedelta(minutes=m), berlin) for m in range(24 * 60))

    assert minutes_on(datetime(2026, 10, 24, 22, tzinfo=UTC)) == 120
    assert minutes_on(datetime(2026, 3, 28, 23, tzinfo=UTC)) == 0
    assert minutes_on(datetime(2026, 7, 1, 22, tzinfo=UTC)) == 60


def test_who_cannot_be_reached_is_told_why_on_the_page() -> None:
    olga = person(phone="")
    olga.email = ""
    olga.save()
    subscribe(olga)
    subscribe(olga, "sms")
    assert outcomes(row(alarm(machine()))) == [
        ("olga", "email", "no email address"),
        ("olga", "sms", "no mobile number"),
    ]


def test_an_account_without_contact_is_reached_by_its_own_address() -> None:
    subscribe(factories.viewer())
    assert [made.address for made in told(row(alarm(machine())))] == ["viewer@works.example"]


@pytest.mark.parametrize(
    ("suppressed", "reason"),
    [(["shelved"], "shelved"), (["by_design"], "suppressed by design"), (["out_of_service"], "out of service")],
)
def test_a_suppressed_alarm_is_withheld_with_its_reason(suppressed: list[str], reason: str) -> None:
    subscribe(person())
    made = alarm(machine(), suppressed=suppressed)
    assert outcomes(row(made, before="G", after="G")) == [("olga", "email", reason)]


def test_the_end_of_a_suppression_tells_where_something_is_left_to_answer() -> None:
    subscribe(person())
    made = alarm(machine())
    assert outcomes(row(made, "expire", "G", "B")) == [("olga", "email", "due")]
    assert outcomes(row(made, "unshelve", "G", "A")) == []


def test_people_and_comments_page_nobody() -> None:
    subscribe(person())
    made = alarm(machine())
    assert told(*(row(made, event) for event in ("ack", "comment", "shelve", "silence", "reset"))) == []


def test_a_return_to_normal_goes_to_those_who_were_told_and_asked_for_it() -> None:
    subscribe(person("asked"), also_clear=True)
    subscribe(person("silent"))
    subscribe(person("off"), also_clear=True, hours=[[]] * 7)
    made = alarm(machine())
    told(row(made))
    subscribe(person("new"), also_clear=True)
    assert outcomes(row(made, "clear", "B", "D")) == [("asked", "email", "due")]


def test_raise_and_return_within_one_drain_are_both_written() -> None:
    subscribe(person(), also_clear=True)
    made = alarm(machine())
    assert [d.event for d in told(row(made), row(made, "clear", "B", "D"))] == ["raise", "clear"]


def test_every_row_has_its_own_key_and_the_opening_mail_a_plain_name() -> None:
    olga = person()
    subscribe(olga)
    made = alarm(machine())
    found = told(row(made), row(made, "realarm", "C", "B"), row(made, "raise", "E", "B"))
    assert len({d.key for d in found}) == 3
    names = [d.message_id for d in found]
    assert names[0] == f"<alarm-{made.pk}.raise.{olga.pk}@localhost>"
    assert names[1] == f"<alarm-{made.pk}.realarm-{found[1].journal_id}.{olga.pk}@localhost>"
    assert names[2] == f"<alarm-{made.pk}.raise-{found[2].journal_id}.{olga.pk}@localhost>"


def test_an_alarm_of_no_machine_reaches_those_who_watch_the_whole_plant() -> None:
    made = machine()
    subscribe(person("all"))
    subscribe(person("one"), asset=made)
    assert outcomes(row(alarm(None))) == [("all", "email", "due")]


def test_an_old_alarm_waits_a_little() -> None:
    subscribe(person())
    made = machine()
    assert told(row(alarm(made, raised=NOW - timedelta(seconds=60))))[0].due == NOW
    assert told(row(alarm(made, raised=NOW - timedelta(seconds=61))))[0].due == NOW + timedelta(seconds=2)


def test_three_rows_and_three_hundred_cost_the_same_queries() -> None:
    machines = factories.plant(lines=2, machines=2)
    for index in range(10):
        olga = person(f"p{index}")
        subscribe(olga, also_clear=True, asset=machines[0].parent if index % 2 else None)
        subscribe(olga, "sms")
    made = Alarm.objects.bulk_create(
        Alarm(
            asset=machines[index % 4], asset_code=machines[index % 4].code, priority=1 + index % 4, state="B",
            raised=NOW, message="hot", rule_name="hot",
        )
        for index in range(150)
    )  # fmt: skip
    rows = [row(one, *what) for one in made for what in (("raise", "A", "B"), ("clear", "B", "D"))]
    journal.write(rows, NOW)
    routing.tell(rows[:2], NOW)  # reads the plant's tree once for the process
    counts = []
    for count in (3, 300):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            found = routing.tell(rows[:count], NOW)
        assert len(found) > count
        # How many statements it takes to write them is the database's own matter.
        counts.append([query["sql"][:200] for query in seen if query["sql"].startswith("SELECT")])
    # subscriptions, calls, routes, the revision, floods, windows, what was sent lately, who was told
    assert len(counts[0]) == len(counts[1]) == 8, "\n".join(counts[1][:20])


def test_rows_loaded_without_their_alarms_cost_one_query_more() -> None:
    subscribe(person())
    journal.write([row(alarm(machine()))], NOW)
    from alerts.models import JournalEntry

    assert len(routing.tell(list(JournalEntry.objects.all()), NOW)) == 1


def test_nothing_is_asked_where_nothing_tells(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert routing.tell([], NOW) == []


def test_deleting_a_subscription_keeps_what_was_sent() -> None:
    subscribe(person())
    told(row(alarm(machine())))
    Subscription.objects.all().delete()
    assert Delivery.objects.get().subscription is None
