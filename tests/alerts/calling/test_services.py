"""Taking a duty, swapping, maintenance, wishes: what is stored, and what is refused with every reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from alerts.calling import escalation, services
from alerts.calling.directory import load_rotas
from alerts.calling.rota import on_call
from alerts.models import Call, Contact, Delivery, MaintenanceWindow, Rota, RotaOverride
from alerts.subscriptions import Refused
from tests.alerts.notify.cast import alarm, machine, person, told
from tests.alerts.notify.cast import row as entry

from .crew import NOW, plan, rota, route

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def duty(of: Rota, at: Any) -> int | None:
    """Gives who is on call."""
    return on_call(load_rotas([of.pk], since=NOW)[of.pk], at)


def test_who_takes_a_duty_has_it_for_that_time() -> None:
    anna, ben = person("anna"), person("ben")
    made = rota("Duty", anna)
    services.take_duty(rota_id=made.pk, user_id=ben.pk, start=NOW + HOUR, end=NOW + 2 * HOUR, by=anna, now=NOW)
    assert [duty(made, NOW + hours * HOUR) for hours in (0, 1, 2)] == [anna.pk, ben.pk, anna.pk]


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [(HOUR, HOUR, "end"), (-3 * HOUR, -HOUR, "end"), (HOUR, 200 * DAY, "end"), (HOUR, 2 * HOUR, "user")],
)
def test_a_duty_that_cannot_be_taken_is_refused_with_the_field(start: timedelta, end: timedelta, field: str) -> None:
    anna = person("anna")
    gone = person("gone", is_active=False)
    with pytest.raises(Refused) as refusal:
        services.take_duty(
            rota_id=rota("Duty", anna).pk, user_id=gone.pk, start=NOW + start, end=NOW + end, by=anna, now=NOW
        )
    assert field in refusal.value.errors
    assert not RotaOverride.objects.exists()


def test_two_people_swap_their_duties_whole() -> None:
    anna, ben = person("anna"), person("ben")
    made = rota("Duty", anna, ben, turns=[1])
    services.swap_duties(rota_id=made.pk, first=NOW + DAY, second=NOW + 2 * DAY, by=anna, now=NOW)
    assert [duty(made, NOW + days * DAY) for days in range(4)] == [anna.pk, anna.pk, ben.pk, ben.pk]
    assert RotaOverride.objects.count() == 2


@pytest.mark.parametrize("year", [1, 9999])
def test_a_duty_of_year_1_or_9999_is_none_and_no_error(year: int) -> None:
    anna, ben = person("anna"), person("ben")
    made = rota("Duty", anna, ben, turns=[1])
    far = NOW.replace(year=year, month=1 if year == 1 else 12, day=1 if year == 1 else 31)
    with pytest.raises(Refused) as refusal:
        services.swap_duties(rota_id=made.pk, first=far, second=far, by=anna, now=NOW)
    assert refusal.value.errors == dict.fromkeys(["first", "second"], "Choose a duty from the list.")


def test_one_does_not_swap_with_oneself_or_with_nobody() -> None:
    anna = person("anna")
    made = rota("Duty", anna, turns=[1])
    with pytest.raises(Refused) as refusal:
        services.swap_duties(rota_id=made.pk, first=NOW - 50 * DAY, second=NOW + DAY, by=anna, now=NOW)
    assert list(refusal.value.errors) == ["first"]
    with pytest.raises(Refused) as refusal:
        services.swap_duties(rota_id=made.pk, first=NOW + HOUR, second=NOW + 2 * HOUR, by=anna, now=NOW)
    assert list(refusal.value.errors) == ["second"]


def test_an_override_that_has_begun_ends_and_one_to_come_goes() -> None:
    anna, ben = person("anna"), person("ben")
    made = rota("Duty", anna)
    begun = RotaOverride.objects.create(rota=made, user=ben, start=NOW - HOUR, end=NOW + HOUR)
    coming = RotaOverride.objects.create(rota=made, user=ben, start=NOW + 5 * HOUR, end=NOW + 6 * HOUR)
    services.drop_override(override_id=begun.pk, now=NOW)
    services.drop_override(override_id=coming.pk, now=NOW)
    assert [one.end for one in RotaOverride.objects.all()] == [NOW]
    with pytest.raises(RotaOverride.DoesNotExist):
        services.drop_override(override_id=begun.pk, now=NOW)


def test_maintenance_needs_a_place_a_time_and_a_reason() -> None:
    with pytest.raises(Refused) as refusal:
        services.plan_maintenance(asset="nowhere", start=NOW, end=NOW, reason=" ", by=person(), now=NOW)
    assert set(refusal.value.errors) == {"asset", "end", "reason"}


def test_a_call_that_waits_for_maintenance_is_taken_when_that_ends_early() -> None:
    anna, made = person("anna", phone=""), machine()
    route(plan("Main", (0, anna)))
    window = services.plan_maintenance(
        asset=made.code, start=NOW - HOUR, end=NOW + 5 * HOUR, reason="bearing", by=anna, now=NOW
    )
    told(entry(alarm(made)))
    assert Call.objects.get().due == NOW + 5 * HOUR
    services.end_maintenance(window_id=window.pk, now=NOW + HOUR)
    escalation.take_due_steps(NOW + HOUR)
    assert [one.outcome for one in Delivery.objects.order_by("pk")] == ["withheld", "due"]
    assert MaintenanceWindow.objects.get().end == NOW + HOUR


WISHES: dict[str, Any] = {
    "quiet": True,
    "quiet_from": "22:00",
    "quiet_to": "06:00",
    "quiet_lets": "1",
    "channels": {1: ["sms"], 2: []},
    "digest_from": "4",
    "hourly_limit": "6",
    "language": "de",
}


def test_wishes_are_stored_and_a_night_is_cut_at_midnight() -> None:
    made = services.save_preferences(user=person(), **WISHES)
    assert made.quiet_hours == [[[0, 360], [1320, 1440]]] * 7
    assert (made.channels, made.digest_from, made.hourly_limit, made.language) == ({"1": ["sms"]}, 4, 6, "de")
    assert services.save_preferences(user=made.user, **{**WISHES, "quiet": False}).quiet_hours is None


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("quiet_from", "25:00", "quiet"),
        ("quiet_to", "22:00", "quiet"),
        ("quiet_lets", "9", "quiet_lets"),
        ("channels", {1: ["pigeon"]}, "channels"),
        ("channels", {7: ["sms"]}, "channels"),
        ("digest_from", "x", "digest_from"),
        ("hourly_limit", "0", "hourly_limit"),
        ("hourly_limit", "-1", "hourly_limit"),
        ("hourly_limit", "61", "hourly_limit"),
        ("language", "xx", "language"),
    ],
)
def test_wishes_that_make_no_sense_are_refused_with_their_field(field: str, value: Any, wrong: str) -> None:
    user: User = person()
    with pytest.raises(Refused) as refusal:
        services.save_preferences(user=user, **{**WISHES, field: value})
    assert list(refusal.value.errors) == [wrong]
    assert Contact.objects.get(user=user).hourly_limit == 20
