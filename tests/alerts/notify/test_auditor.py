"""The auditor finds the call that was not made."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Q

from alerts.calling import digests, escalation
from alerts.models import Alarm, Audit, Call, CallRoute, Contact, Delivery, JournalEntry, MaintenanceWindow
from alerts.notify import auditor, outbox
from devices import services
from devices.models import Asset, Level
from tests.alerts.calling import crew

from .cast import NOW, alarm, machine, person, row, send, subscribe, told
from .wire import Provider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def looked_before(db: None) -> None:
    """Has the auditor take up its work; subscriptions of these tests are older than what they get."""
    auditor.audit(NOW - timedelta(minutes=2))


def asked(username: str = "olga", **fields: Any) -> None:
    """Subscribes somebody since long ago."""
    made = subscribe(person(username), "sms", **fields)
    type(made).objects.filter(pk=made.pk).update(changed=NOW - timedelta(days=1))


def own() -> list[Alarm]:
    return list(Alarm.objects.filter(rule_name="").order_by("pk"))


def test_when_every_call_was_made_there_is_nothing_to_say(provider: Provider) -> None:
    asked()
    made = alarm(machine())
    told(row(made), row(made, "clear", "B", "D"), row(made, "comment", "D", "D"))
    send()
    assert auditor.audit(NOW) == [] and own() == []
    assert Audit.objects.get().journal == JournalEntry.objects.latest("pk").pk
    assert auditor.is_well(NOW)


def test_a_call_that_was_withheld_or_given_up_was_decided_and_is_not_missing(provider: Provider) -> None:
    asked(hours=[[]] * 7)
    told(row(alarm(machine())))
    assert Delivery.objects.get().outcome == "withheld"
    assert auditor.audit(NOW) == []


@pytest.mark.parametrize(
    "presents", [("raise", "A", "B"), ("realarm", "B", "B"), ("unshelve", "B", "B"), ("expire", "D", "D")]
)
def test_a_message_that_nobody_wrote_is_found_and_told_as_critical(
    provider: Provider, presents: tuple[str, str, str]
) -> None:
    asked()
    subscribe(person("mia"), "email")  # switched on since: she had not asked then
    told(row(alarm(machine()), *presents))
    Delivery.objects.all().delete()
    made = Alarm.objects.get()
    assert auditor.audit(NOW) == [f"alarm {made.pk}: no message to olga by sms"]
    (raised,) = own()
    assert (raised.priority, raised.message) == (1, "Calls were not made: 1 messages are missing")
    assert JournalEntry.objects.latest("pk").reason == f"alarm {made.pk}: no message to olga by sms"


def test_what_is_missing_is_told_once(provider: Provider) -> None:
    asked()
    told(row(alarm(machine())))
    Delivery.objects.filter(alarm__isnull=False).delete()
    auditor.audit(NOW)
    assert auditor.audit(NOW + auditor.EVERY) == [] and len(own()) == 1


def test_who_asked_for_another_place_or_priority_misses_nothing(provider: Provider) -> None:
    asset = machine()
    asked("olga", lowest_priority=1)
    asked("emil", asset=asset.parent)
    auditor.audit(NOW - timedelta(minutes=1))
    told(row(alarm(asset, priority=2)))
    Delivery.objects.all().delete()
    assert auditor.audit(NOW) == [f"alarm {Alarm.objects.earliest('pk').pk}: no message to emil by sms"]


def test_an_asset_that_was_moved_since_proves_nothing_about_the_place_where_it_was(provider: Provider) -> None:
    asset = machine()
    elsewhere = services.create_asset(
        code="yard", name="Yard", level=Level.AREA, parent=Asset.objects.get(code="works")
    )
    asked("emil", asset=elsewhere)
    asked("olga", asset=asset)
    auditor.audit(NOW - timedelta(minutes=1))
    told(row(alarm(asset)))
    Delivery.objects.all().delete()
    services.move_asset(asset=asset, parent=elsewhere)
    assert [words.partition("to ")[2] for words in auditor.audit(NOW)] == ["olga by sms"]


def test_what_is_due_and_not_sent_raises_an_alarm_until_it_is(provider: Provider) -> None:
    asked()
    told(row(alarm(machine())))
    assert auditor.audit(NOW + auditor.LATE) == []
    late = NOW + auditor.LATE + timedelta(seconds=1)
    (words,) = auditor.audit(late)
    assert "to olga by sms: due since 06:00:30 UTC" in words
    assert [(found.priority, found.active) for found in own()] == [(1, True)] and not auditor.is_well(late)
    auditor.audit(late + auditor.EVERY)
    assert len(own()) == 1
    send(late + auditor.EVERY)
    assert auditor.audit(late + 2 * auditor.EVERY) == []
    assert [found.active for found in own()] == [False] and auditor.is_well(late + 2 * auditor.EVERY)


def test_a_step_of_a_plan_that_nobody_takes_is_late(db: Any) -> None:
    made = alarm(machine())
    Call.objects.create(alarm=made, plan={}, started=NOW, due=NOW, place=1)
    assert auditor.audit(NOW + auditor.LATE) == []
    words = f"alarm {made.pk}: step 2 of its plan is due since 06:00:30 UTC"
    assert auditor.audit(NOW + auditor.LATE + timedelta(seconds=1)) == [words]
    Call.objects.update(due=None)
    assert auditor.audit(NOW + auditor.LATE + timedelta(minutes=1)) == []


def test_a_late_step_is_found_behind_more_unproved_calls_than_one_look_reads(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditor, "_ROWS", 2)
    asset = machine()
    for _number in range(3):
        Call.objects.create(alarm=alarm(asset), plan={}, started=NOW, place=1)
    late = alarm(asset)
    Call.objects.create(alarm=late, plan={}, started=NOW, due=NOW, place=1, audited=1)
    words = f"alarm {late.pk}: step 2 of its plan is due since 06:00:30 UTC"
    assert auditor.audit(NOW + auditor.LATE + timedelta(seconds=1)) == [words]
    assert Call.objects.filter(audited=0).count() == 1


def test_a_post_to_a_team_that_nobody_wrote_is_found_and_one_that_is_gone_is_not(provider: Provider) -> None:
    fitters = crew.team("Fitters")
    first, second = (crew.channel(name, fitters, provider.address) for name in ("chat", "pager"))
    crew.route(crew.plan("Main", (0, fitters), (300, fitters)))
    told(row(alarm(machine())))
    assert Delivery.objects.filter(team__isnull=False).count() == 2
    assert auditor.audit(NOW - timedelta(minutes=1)) == []
    told(row(alarm(Asset.objects.get(code="press-1-1"))))
    Delivery.objects.all().delete()
    second.delete()
    made = Alarm.objects.latest("pk")
    assert auditor.audit(NOW) == [f"alarm {made.pk}: no message to {first.name} by team channel"]


def taken(minutes: float) -> None:
    """Lets the workers take the steps that are due; what was due before has gone."""
    Delivery.objects.filter(outcome="due").update(outcome="sent")
    while escalation.take_due_steps(NOW + timedelta(minutes=minutes)):
        pass


def test_each_step_that_was_taken_has_its_message_or_is_missing(provider: Provider) -> None:
    anna, ben, cara, dan = (person(name) for name in ("anna", "ben", "cara", "dan"))
    crew.may_acknowledge(dan)
    duty, fitters = crew.rota("Duty", ben), crew.team("Fitters", cara, anna)
    room = crew.channel("room", fitters, provider.address)
    crew.route(crew.plan("Main", (0, anna), (300, duty), (300, fitters), (300, None)))
    told(row(alarm(machine())))
    made = Alarm.objects.get()
    assert auditor.audit(NOW) == []
    for minute, whom, words in (
        (5, Q(user=ben), "step 2 of its plan has no message to Duty"),
        (10, Q(user=anna), "step 3 of its plan has no message to anna"),
        (15, Q(user=dan), "step 4 of its plan has no message to anybody"),
    ):
        taken(minute)
        Delivery.objects.filter(whom, key__startswith=f"{made.pk}:call:").delete()
        if minute == 10:
            Delivery.objects.filter(team=room).delete()
        found = auditor.audit(NOW + timedelta(minutes=minute))
        expected = [f"alarm {made.pk}: {words}"]
        assert found == expected + [f"alarm {made.pk}: no message to room by team channel"] * (minute == 10)
        assert auditor.audit(NOW + timedelta(minutes=minute + 1)) == []


def test_a_first_step_whose_message_is_lost_is_missing(provider: Provider) -> None:
    crew.route(crew.plan("Main", (0, crew.rota("Duty", person("ben")))))
    told(row(alarm(machine())))
    Delivery.objects.all().delete()
    assert auditor.audit(NOW) == [f"alarm {Alarm.objects.earliest('pk').pk}: step 1 of its plan has no message to Duty"]


@pytest.mark.parametrize("whom", ["rota", "everybody"])
def test_a_subscribers_message_proves_no_step(provider: Provider, whom: str) -> None:
    ben = person("ben")
    crew.may_acknowledge(ben)
    asked("olga")
    crew.route(crew.plan("Main", (0, crew.rota("Duty", ben) if whom == "rota" else None)))
    told(row(alarm(machine())))
    Delivery.objects.filter(user=ben).delete()
    assert Delivery.objects.get().subscription_id is not None
    words = f"step 1 of its plan has no message to {'Duty' if whom == 'rota' else 'anybody'}"
    assert auditor.audit(NOW) == [f"alarm {Alarm.objects.earliest('pk').pk}: {words}"]


def test_a_message_to_somebody_named_proves_no_step_of_a_rota(provider: Provider) -> None:
    anna, ben = person("anna"), person("ben")
    crew.route(crew.plan("Main", (0, anna), (0, crew.rota("Duty", ben))))
    told(row(alarm(machine())))
    Delivery.objects.filter(user=ben).delete()
    assert auditor.audit(NOW) == [f"alarm {Alarm.objects.earliest('pk').pk}: step 2 of its plan has no message to Duty"]


@pytest.mark.parametrize("minutes", [0, 1])
def test_of_two_steps_that_are_due_at_once_the_one_whose_message_is_lost_is_missing(
    provider: Provider, minutes: int
) -> None:
    ben, cara = person("ben"), person("cara")
    crew.route(crew.plan("Main", (60 * minutes, crew.rota("Duty", ben)), (0, crew.rota("Second", cara))))
    told(row(alarm(machine())))
    taken(minutes)
    Delivery.objects.filter(user=cara).delete()
    assert Delivery.objects.filter(user=ben, on_call=True).exists()
    made = Alarm.objects.earliest("pk")
    words = f"alarm {made.pk}: step 2 of its plan has no message to Second"
    assert auditor.audit(NOW + timedelta(minutes=minutes)) == [words]


@pytest.mark.parametrize("whom", ["rota", "everybody"])
def test_a_later_steps_message_proves_no_step_before_it(provider: Provider, whom: str) -> None:
    ben, cara = person("ben"), person("cara")
    crew.may_acknowledge(ben)
    first = crew.rota("Duty", ben) if whom == "rota" else None
    crew.route(crew.plan("Main", (60, first), (30, crew.rota("Second", cara))))
    told(row(alarm(machine())))
    taken(1)
    assert [called.user for called in Delivery.objects.all()] == [ben] * Delivery.objects.count() != []
    Delivery.objects.all().delete()
    taken(1.5)
    assert Delivery.objects.filter(user=cara, event="call").exists()
    words = f"step 1 of its plan has no message to {'Duty' if whom == 'rota' else 'anybody'}"
    assert auditor.audit(NOW + timedelta(minutes=2)) == [f"alarm {Alarm.objects.earliest('pk').pk}: {words}"]


def test_steps_that_a_late_worker_takes_at_once_are_proved_by_one_message(provider: Provider) -> None:
    duty = crew.rota("Duty", person("ben"))
    crew.route(crew.plan("Main", (60, duty), (60, duty), (60, crew.team("Fitters", person("anna")))))
    told(row(alarm(machine())))
    taken(10)
    assert Call.objects.get().place == 3 and Delivery.objects.filter(user__username="ben", channel="sms").count() == 1
    assert auditor.audit(NOW + timedelta(minutes=10)) == []


def test_the_first_step_of_a_later_round_is_proved_by_none_of_the_first(provider: Provider) -> None:
    ben = person("ben")
    crew.route(crew.plan("Main", (0, crew.rota("Duty", ben)), (60, person("anna")), repeat=1, repeat_after=240))
    told(row(alarm(machine())))
    made = Alarm.objects.get()
    taken(1)
    assert auditor.audit(NOW + timedelta(minutes=1)) == []
    taken(5)
    again = Delivery.objects.filter(user=ben, event="call")
    assert {called.key.split(":")[2] for called in again} == {"1.2.1"}
    again.delete()
    words = "step 1 of its plan has no message to Duty"
    assert auditor.audit(NOW + timedelta(minutes=5)) == [f"alarm {made.pk}: {words}"]


def test_a_step_that_maintenance_put_off_is_not_proved_by_what_was_withheld_for_it(provider: Provider) -> None:
    crew.route(crew.plan("Main", (0, crew.rota("Duty", person("ben")))))
    asset = machine()
    MaintenanceWindow.objects.create(asset=asset, start=NOW, end=NOW + timedelta(minutes=3), reason="new bearing")
    told(row(alarm(asset)))
    assert {made.outcome for made in Delivery.objects.all()} == {"withheld"}
    taken(3)
    Delivery.objects.filter(event="call").delete()
    made = Alarm.objects.get()
    words = "step 1 of its plan has no message to Duty"
    assert auditor.audit(NOW + timedelta(minutes=3)) == [f"alarm {made.pk}: {words}"]


def test_a_step_that_had_nobody_to_call_before_maintenance_ended_is_no_excuse_after_it(provider: Provider) -> None:
    duty = crew.rota("Duty")
    crew.route(crew.plan("Main", (0, duty)))
    asset = machine()
    MaintenanceWindow.objects.create(asset=asset, start=NOW, end=NOW + timedelta(minutes=3), reason="new bearing")
    told(row(alarm(asset)))
    crew.layer(duty, person("ben"))
    taken(3)
    Delivery.objects.filter(event="call").delete()
    made = Alarm.objects.get()
    words = "step 1 of its plan has no message to Duty"
    assert auditor.audit(NOW + timedelta(minutes=3)) == [f"alarm {made.pk}: {words}"]


def test_maintenance_that_begins_before_the_auditor_looks_takes_no_proof_away(provider: Provider) -> None:
    nobody = person("ben", phone="")
    Contact.objects.filter(user=nobody).update(channels={"1": ["sms"]})
    User.objects.filter(pk=nobody.pk).update(email="")
    crew.route(crew.plan("Main", (0, nobody), (0, crew.rota("Duty", nobody)), (30, person("anna"))))
    asset = machine()
    told(row(alarm(asset)))
    assert {made.outcome for made in Delivery.objects.all()} == {"withheld"}
    start = NOW + timedelta(seconds=20)
    MaintenanceWindow.objects.create(asset=asset, start=start, end=start + timedelta(hours=1), reason="new bearing")
    taken(0.5)
    assert Call.objects.get().started > NOW
    assert auditor.audit(NOW + timedelta(minutes=1)) == []


def test_when_every_step_called_there_is_nothing_to_say(provider: Provider) -> None:
    anna, ben = person("anna"), person("ben")
    asked("olga")
    # Two steps at once that call one person make one message, and one told within the minute has its reason.
    crew.route(
        crew.plan("Main", (0, anna), (0, crew.rota("Duty", anna)), (300, crew.team("Fitters", anna, ben)), (0, ben))
    )
    asset = machine()
    MaintenanceWindow.objects.create(asset=asset, start=NOW, end=NOW + timedelta(minutes=3), reason="new bearing")
    told(row(alarm(asset)))
    for minute in range(20):
        taken(minute)
        assert auditor.audit(NOW + timedelta(minutes=minute, seconds=30)) == []
    assert Call.objects.get().audited == 4


def test_a_plan_that_begins_anew_is_proved_anew(provider: Provider) -> None:
    crew.route(crew.plan("Main", (0, person("anna"))))
    made = alarm(machine())
    told(row(made))
    assert auditor.audit(NOW) == []
    Delivery.objects.update(outcome="sent")
    told(row(made, "realarm", "C", "B"), now=NOW + timedelta(minutes=10))
    Delivery.objects.filter(event="realarm").delete()
    assert auditor.audit(NOW + timedelta(minutes=10)) == [f"alarm {made.pk}: step 1 of its plan has no message to anna"]


def test_a_step_that_had_nobody_to_call_says_why_and_is_not_missing(provider: Provider) -> None:
    crew.route(crew.plan("Main", (0, crew.rota("Duty")), (300, crew.team("Nobody"))))
    told(row(alarm(machine())))
    taken(5)
    assert auditor.audit(NOW + timedelta(minutes=5)) == []
    assert Call.objects.get().nobody == {
        "1.1.1": "Main, step 1: nobody is on call for Duty, team  is called instead",
        "1.1.2": "Main, step 2: team Nobody",
    }


def test_a_call_that_was_never_begun_is_missing_where_an_older_route_leads_to_a_plan(provider: Provider) -> None:
    asset = machine()
    made_route = crew.route(crew.plan("Main", (0, person("anna"))), asset.parent)
    crew.route(crew.plan("New", (0, person("ben"))), alarm_class="safety")  # made since
    CallRoute.history.filter(id=made_route.pk).update(history_date=NOW - timedelta(days=1))
    auditor.audit(NOW - timedelta(minutes=1))
    told(row(alarm(asset)), row(alarm(asset, alarm_class="safety")))
    told(row(alarm(None)))  # of no asset: no route leads it anywhere
    Call.objects.all().delete()
    Delivery.objects.all().delete()
    first, second, _ = Alarm.objects.order_by("pk")
    assert auditor.audit(NOW) == [
        f"alarm {one.pk}: no call was begun, though a route leads to the plan Main" for one in (first, second)
    ]


def test_a_message_that_is_held_past_its_time_is_late(provider: Provider) -> None:
    asked()
    told(row(alarm(machine())))
    Delivery.objects.update(outcome="held", due=NOW + timedelta(minutes=60))
    assert auditor.audit(NOW + timedelta(minutes=60) + auditor.LATE) == []
    late = NOW + timedelta(minutes=60, seconds=1) + auditor.LATE
    (words,) = auditor.audit(late)
    assert words.endswith("to olga by sms: held back, its digest is due since 07:00:30 UTC")
    assert [raised.message for raised in own()] == ["Calls are due and do not go out"]
    digests.send_held(late)
    send(late)
    assert auditor.audit(late + auditor.EVERY) == [] and [raised.active for raised in own()] == [False]


def test_a_post_to_a_team_that_waits_too_long_is_late(provider: Provider) -> None:
    fitters = crew.team("Fitters")
    crew.channel("chat", fitters, provider.address)
    crew.route(crew.plan("Main", (0, fitters)))
    told(row(alarm(machine())))
    late = NOW + auditor.LATE + timedelta(seconds=1)
    assert [words.partition(" to ")[2] for words in auditor.audit(late)] == ["chat by team: due since 06:00:30 UTC"]
    send(late)
    assert auditor.audit(late + auditor.EVERY) == []


def test_a_message_whose_worker_is_lost_is_late_too(provider: Provider) -> None:
    asked()
    told(row(alarm(machine())))
    Delivery.objects.update(outcome="sending", claimed=NOW)
    assert auditor.audit(NOW + outbox.CLAIM) == []
    assert len(auditor.audit(NOW + auditor.LOST + timedelta(seconds=1))) == 1


def test_calls_are_late_though_their_provider_asks_again_and_again_to_be_left_alone(provider: Provider) -> None:
    provider.status, provider.retry_after = 429, "900"
    asked()
    asked("emil")
    told(row(alarm(machine(), priority=2)))
    for minute in (0, 15, 30):
        send(NOW + timedelta(minutes=minute))
    found = auditor.audit(NOW + timedelta(minutes=31))
    assert ["due since 06:00:30 UTC" in words for words in found] == [True, True]
    assert [raised.message for raised in own()] == ["Calls are due and do not go out"]


def test_a_message_that_is_tried_again_later_is_not_late(provider: Provider) -> None:
    provider.status = 429
    asked()
    told(row(alarm(machine())))
    send()
    Delivery.objects.update(due=NOW + timedelta(minutes=15))
    assert auditor.audit(NOW + timedelta(minutes=14)) == []


def test_an_auditor_that_has_not_looked_lately_is_not_well() -> None:
    auditor.audit(NOW)
    assert auditor.is_well(NOW + auditor.WELL - timedelta(seconds=1))
    assert not auditor.is_well(NOW + auditor.WELL)


def test_what_was_before_the_first_look_is_not_looked_at(provider: Provider) -> None:
    Audit.objects.all().delete()
    asked()
    told(row(alarm(machine())))
    Delivery.objects.all().delete()
    assert auditor.audit(NOW) == []


def test_a_quiet_minute_costs_the_same_few_queries(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(7):
        auditor.audit(NOW)
