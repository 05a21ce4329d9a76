"""What last week would have sent: the same as what the routing did send, for the same subscriptions."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.calling import digests
from alerts.models import Alarm, Contact, Delivery
from alerts.notify.forecast import forecast
from devices.models import Asset
from tests import factories

from .cast import NOW, alarm, person, row, subscribe, told

pytestmark = pytest.mark.django_db

EARLY = [[[360, 840]]] * 5 + [[], []]  # Monday to Friday, 06:00 to 14:00


def week_of_alarms(machines: list[Asset], count: int = 60) -> None:
    """Writes alarms of all priorities, some of which return, through the six days before NOW."""
    for number in range(count):
        at = NOW - timedelta(hours=2.3 * (count - number))
        late = timedelta(minutes=5) if number % 10 == 0 else timedelta(seconds=1)
        over = number % 3 == 0
        made = alarm(
            machines[number % len(machines)],
            priority=number % 4 + 1,
            raised=at,
            cleared=at + timedelta(minutes=2) if over else None,
        )
        told(row(made), now=at + late)
        if over:
            told(row(made, "clear", "B", "D"), now=at + timedelta(minutes=6))


def test_last_week_is_counted_as_the_routing_decided() -> None:
    first, second = factories.plant(machines=2)
    olga = person(zone="Europe/Berlin")
    subscribe(olga, lowest_priority=2, also_clear=True)
    subscribe(olga, "sms", asset=first, lowest_priority=4, hours=EARLY)
    subscribe(olga, asset=second, lowest_priority=3, enabled=False)
    week_of_alarms([first, second])
    counted = forecast(user=olga, subscriptions=list(olga.subscriptions.all()), now=NOW)
    due = Delivery.objects.filter(user=olga, outcome="due")
    # What came late and was over is withheld while sending, not while routing.
    over = due.filter(event="raise", alarm__cleared__isnull=False, due__gt=NOW - timedelta(days=7))
    gone = [one for one in over if one.created - one.alarm.raised > timedelta(seconds=60)]  # type: ignore[union-attr]  # has one
    pairs = {(one.alarm_id, one.channel) for one in gone}
    kept = [one for one in due if (one.alarm_id, one.channel) not in pairs]
    assert gone
    assert counted.by_channel["email"] == sum(one.channel == "email" for one in kept) > 0
    assert counted.by_channel["sms"] == sum(one.channel == "sms" for one in kept) > 0
    assert any(one.event == "clear" for one in kept)


def test_quiet_hours_digests_and_the_hourly_limit_count_as_they_did() -> None:
    machine = factories.plant(machines=1)[0]
    olga = person(zone="Europe/Berlin")
    wishes = {"quiet_hours": [[[0, 360], [1320, 1440]]] * 7, "quiet_lets": 2, "digest_from": 4, "hourly_limit": 2}
    Contact.objects.filter(user=olga).update(**wishes)
    olga.refresh_from_db()
    subscribe(olga, also_clear=True)
    subscribe(olga, "sms", lowest_priority=2)

    def hold_no_longer(now: datetime) -> None:
        """Sends what was held until now, whenever it was due, as beat would."""
        while due := Delivery.objects.filter(outcome="held", due__lte=now).order_by("due").first():
            digests.send_held(due.due)

    for number in range(120):
        at = NOW - timedelta(days=6) + timedelta(minutes=70 * number) + timedelta(minutes=11 * (number % 3))
        hold_no_longer(at)
        made = alarm(machine, priority=number % 4 + 1, raised=at)
        told(row(made), now=at + timedelta(seconds=1))
        if number % 3 == 0:
            back = at + timedelta(minutes=5)
            hold_no_longer(back)
            Alarm.objects.filter(pk=made.pk).update(cleared=back, active=False, state="D")
            made.refresh_from_db()
            told(row(made, "clear", "B", "D", time=back), now=back + timedelta(seconds=1))
    hold_no_longer(NOW)
    counted = forecast(user=olga, subscriptions=list(olga.subscriptions.all()), now=NOW)
    sent = Delivery.objects.filter(user=olga, outcome="due")
    assert Delivery.objects.filter(event="digest").exists() and sent.filter(event="clear").exists()
    assert counted.by_channel == Counter(sent.values_list("channel", flat=True))
    assert counted.by_channel.total() < 120 + 40 + 60  # raises, returns and text messages


@pytest.mark.parametrize("alarms", [1, 2])
def test_the_end_of_what_a_digest_told_counts(alarms: int) -> None:
    machine = factories.plant(machines=1)[0]
    olga = person()
    Contact.objects.filter(user=olga).update(quiet_hours=[[[0, 360]]] * 7, quiet_lets=0)
    olga.refresh_from_db()
    asked = subscribe(olga, also_clear=True)
    night = NOW - timedelta(hours=25)
    morning, later = night + timedelta(hours=1), night + timedelta(hours=3)
    made = [alarm(machine, priority=4, raised=night) for _ in range(alarms)]
    told(*map(row, made), now=night)
    digests.send_held(morning)
    Alarm.objects.update(cleared=later, active=False, state="D")
    for one in made:
        one.refresh_from_db()
        told(row(one, "clear", "B", "D", time=later), now=later)
    assert Delivery.objects.filter(outcome="due").count() == 1 + alarms
    counted = forecast(user=olga, subscriptions=[asked], now=NOW)
    assert counted.by_channel == {"email": 1 + alarms}


def test_two_subscriptions_to_the_same_message_count_once_together_and_each_by_itself() -> None:
    machine = factories.plant(machines=1)[0]
    olga = person()
    broad, narrow = subscribe(olga), subscribe(olga, asset=machine, lowest_priority=1)
    told(row(alarm(machine, priority=1)), row(alarm(machine, priority=3)))
    counted = forecast(user=olga, subscriptions=[broad, narrow], now=NOW)
    assert counted.by_channel == {"email": 2}
    assert counted.by_subscription == {broad.pk: 2, narrow.pk: 1}


def test_the_night_is_that_of_the_persons_own_clock() -> None:
    machine = factories.plant(machines=1)[0]
    told(row(alarm(machine)))  # 06:00:30 UTC
    counts = []
    for zone in ("UTC", "America/New_York"):
        someone = person(zone.lower().replace("/", "-"), zone=zone)
        counts.append(forecast(user=someone, subscriptions=[subscribe(someone)], now=NOW).at_night)
    assert counts == [0, 1]


@pytest.mark.parametrize(
    ("fields", "count"), [({}, 1), ({"enabled": False}, 0), ({"lowest_priority": 1}, 0), ({"channel": "sms"}, 0)]
)
def test_only_what_could_be_sent_counts(fields: dict[str, Any], count: int) -> None:
    machine = factories.plant(machines=1)[0]
    someone = person(phone="")
    told(row(alarm(machine, priority=2)))
    told(row(alarm(machine, raised=NOW - timedelta(days=8), closed=NOW)), now=NOW - timedelta(days=8))
    asked = subscribe(someone, **{"channel": "email", **fields})
    assert forecast(user=someone, subscriptions=[asked], now=NOW).by_channel.total() == count


def test_the_forecast_costs_the_same_for_3_and_for_300_alarms() -> None:
    machine = factories.plant(machines=1)[0]
    olga = person()
    asked = [subscribe(olga), subscribe(olga, "sms", asset=machine)]
    counts = []
    for number in (3, 297):
        told(*[row(alarm(machine)) for _ in range(number)])
        forecast(user=olga, subscriptions=asked, now=NOW)
        with CaptureQueriesContext(connection) as queries:
            # Beyond sixty critical ones within the hour they wait for the next.
            assert forecast(user=olga, subscriptions=asked, now=NOW).by_channel["sms"] == min(number, 30)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 2


def test_a_week_with_more_than_can_be_looked_at_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = factories.plant(machines=1)[0]
    olga = person()
    asked = [subscribe(olga)]
    told(*[row(alarm(machine)) for _ in range(3)])
    for most, cut in ((3, False), (2, True)):
        monkeypatch.setattr("alerts.notify.forecast.MOST", most)
        counted = forecast(user=olga, subscriptions=asked, now=NOW)
        assert (counted.cut, counted.by_channel["email"]) == (cut, most)
