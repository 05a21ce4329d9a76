"""Calls step after step: who is called when, what stops it, what begins it anew, what holds it back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.translation import get_language

from alerts import journal, services
from alerts.calling import digests, escalation
from alerts.calling.directory import in_the_words_of
from alerts.models import Alarm, Call, CallPlan, Contact, Delivery, MaintenanceWindow, Rota, RotaOverride
from alerts.notify import outbox, routing
from tests.alerts.notify.cast import alarm, machine, person, row, send, subscribe
from tests.alerts.notify.wire import MailServer, Provider

from .crew import NOW, may_acknowledge, plan, rota, route, team

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def mailed(username: str, **contact: Any) -> User:
    """Makes somebody who is reached by mail alone."""
    user = person(username, phone="")
    Contact.objects.filter(user=user).update(**contact)
    return User.objects.get(pk=user.pk)


def begin(of: Alarm, at: datetime = NOW, event: str = "raise", before: str = "A", after: str = "B") -> None:
    """Presents an alarm, as a drain does."""
    entry = row(of, event, before, after)
    journal.write([entry], at)
    routing.tell([entry], at)


def pass_time(until: datetime, since: datetime = NOW, step: timedelta = MINUTE) -> None:
    """Lets the workers look each minute."""
    now = since
    while now <= until:
        escalation.take_due_steps(now)
        escalation.watch_rotas(now)
        digests.send_held(now)
        now += step


def called() -> list[tuple[int, str, str]]:
    """Gives minute, person and outcome of all messages in their order."""
    return [
        (round((one.created - NOW).total_seconds() / 60), one.user.get_username(), one.outcome)
        for one in Delivery.objects.select_related("user").order_by("pk")
    ]


def test_steps_call_one_after_the_other_until_all_are_done() -> None:
    anna, ben, cara, dan = (mailed(name) for name in ("anna", "ben", "cara", "dan"))
    may_acknowledge(dan)
    made = plan("Main", (0, anna), (300, rota("Duty", ben)), (600, team("Fitters", cara)), (900, None))
    route(made)
    begin(alarm(machine()))
    pass_time(NOW + 40 * MINUTE)
    assert called() == [(0, "anna", "due"), (5, "ben", "due"), (15, "cara", "due"), (30, "dan", "due")]
    assert [one.reason for one in Delivery.objects.order_by("pk")] == [
        "Main, step 1: you by name",
        "Main, step 2: on call for Duty",
        "Main, step 3: team Fitters",
        "Main, step 4: everybody who may acknowledge",
    ]
    assert Call.objects.get().stopped == "all steps are done"


def test_a_plan_repeats_as_often_as_it_says() -> None:
    anna = mailed("anna")
    route(plan("Main", (0, anna), (300, anna), repeat=2, repeat_after=600.0))
    begin(alarm(machine()))
    pass_time(NOW + 120 * MINUTE)
    assert [minute for minute, _, _ in called()] == [0, 5, 15, 20, 30, 35]


def test_acknowledgement_stops_the_steps_to_come() -> None:
    anna, ben = mailed("anna"), mailed("ben")
    route(plan("Main", (0, anna), (300, ben)))
    made = alarm(machine())
    begin(made)
    services.acknowledge(alarm_id=made.pk, user=anna, now=NOW + MINUTE)
    pass_time(NOW + 10 * MINUTE)
    assert called() == [(0, "anna", "due")]
    assert Call.objects.get().stopped == "acknowledged"


def test_a_re_alarm_begins_the_plan_anew() -> None:
    anna, ben = mailed("anna"), mailed("ben")
    route(plan("Main", (0, anna), (300, ben)))
    made = alarm(machine())
    begin(made)
    services.acknowledge(alarm_id=made.pk, user=anna, now=NOW + MINUTE)
    pass_time(NOW + 10 * MINUTE)
    Alarm.objects.filter(pk=made.pk).update(state="B")
    begin(Alarm.objects.get(pk=made.pk), NOW + 20 * MINUTE, "realarm", "C", "B")
    pass_time(NOW + 30 * MINUTE, NOW + 20 * MINUTE)
    assert called() == [(0, "anna", "due"), (20, "anna", "due"), (25, "ben", "due")]


@pytest.mark.parametrize(("stops", "expected"), [(True, 1), (False, 2)])
def test_a_return_to_normal_stops_where_the_plan_says_so(stops: bool, expected: int) -> None:
    anna, ben = mailed("anna"), mailed("ben")
    route(plan("Main", (0, anna), (300, ben), stops_on_return=stops))
    made = alarm(machine())
    begin(made)
    Alarm.objects.filter(pk=made.pk).update(state="D", active=False, cleared=NOW + MINUTE)
    pass_time(NOW + 10 * MINUTE)
    assert len(called()) == expected


def test_who_was_called_hears_of_the_return_where_they_wish_it_in_the_same_thread(mail: MailServer) -> None:
    anna, ben, cara = mailed("anna", calls_also_clear=True), mailed("ben"), mailed("cara", calls_also_clear=True)
    route(plan("Main", (0, anna), (0, ben), (300, cara)))
    made = alarm(machine())
    begin(made)
    send(NOW + MINUTE)
    Alarm.objects.filter(pk=made.pk).update(state="D", active=False, cleared=NOW + 2 * MINUTE)
    begin(Alarm.objects.get(pk=made.pk), NOW + 2 * MINUTE, "clear", "B", "D")
    send(NOW + 3 * MINUTE)
    # Ben does not wish it; Cara was never called.
    assert [(one.user.get_username(), one.event, one.outcome) for one in Delivery.objects.order_by("pk")] == [
        ("anna", "raise", "sent"),
        ("ben", "raise", "sent"),
        ("anna", "clear", "sent"),
    ]
    first, last = mail.mails[0], mail.mails[-1]
    assert last["In-Reply-To"] == first["Message-ID"] and first["To"] == last["To"] == "anna@works.example"
    assert Delivery.objects.get(event="clear").reason == (
        "you were called for it, and wish to know when it returns to normal"
    )


def test_who_was_called_by_a_later_step_hears_of_the_return_too(mail: MailServer) -> None:
    anna, ben = mailed("anna"), mailed("ben", calls_also_clear=True)
    route(plan("Main", (0, anna), (300, ben)))
    made = alarm(machine())
    begin(made)
    pass_time(NOW + 6 * MINUTE)
    send(NOW + 7 * MINUTE)
    Alarm.objects.filter(pk=made.pk).update(state="D", active=False, cleared=NOW + 8 * MINUTE)
    begin(Alarm.objects.get(pk=made.pk), NOW + 8 * MINUTE, "clear", "B", "D")
    assert [one.outcome for one in send(NOW + 9 * MINUTE)] == ["sent"] * 3
    assert [(one.user.get_username(), one.channel) for one in Delivery.objects.filter(event="clear")] == [
        ("ben", "email")
    ]


def test_an_alarm_that_asks_nobody_to_acknowledge_calls_its_first_steps_only() -> None:
    anna, ben = mailed("anna"), mailed("ben")
    route(plan("Main", (0, anna), (300, ben)))
    begin(alarm(machine(), state="C", frozen={"ack_required": False}), after="C")
    pass_time(NOW + 10 * MINUTE)
    assert called() == [(0, "anna", "due")]


def test_the_plan_is_the_one_that_was_in_force_when_the_alarm_was_raised() -> None:
    anna, ben, cara = mailed("anna"), mailed("ben"), mailed("cara")
    fitters = team("Fitters", ben)
    made = plan("Main", (0, anna), (300, fitters))
    route(made)
    begin(alarm(machine()))
    fitters.members.set([cara])
    CallPlan.objects.all().delete()
    pass_time(NOW + 10 * MINUTE)
    assert called() == [(0, "anna", "due"), (5, "ben", "due")]


def test_who_is_on_call_is_asked_at_the_moment_of_the_step() -> None:
    anna, ben = mailed("anna"), mailed("ben")
    duty = rota("Duty", anna)
    route(plan("Main", (300, duty), (300, duty)))
    begin(alarm(machine()))
    RotaOverride.objects.create(rota=duty, user=ben, start=NOW + 8 * MINUTE, end=NOW + 60 * MINUTE)
    pass_time(NOW + 20 * MINUTE)
    assert called() == [(5, "anna", "due"), (10, "ben", "due")]


def test_where_nobody_is_on_call_the_fallback_is_called_and_an_alarm_says_so_until_somebody_is() -> None:
    anna, ben = mailed("anna"), mailed("ben")
    duty = rota("Duty")
    route(plan("Main", (0, duty), fallback=team("Leads", ben)), highest_priority=1, lowest_priority=1)
    begin(alarm(machine()))
    assert called() == [(0, "ben", "due")]
    assert "nobody is on call for Duty, team Leads is called instead" in Delivery.objects.get().reason
    pass_time(NOW + 2 * MINUTE)
    own = Alarm.objects.get(rule=None, message__startswith="Nobody is on call")
    assert (own.message, own.active) == ("Nobody is on call for Duty", True)
    RotaOverride.objects.create(rota=duty, user=anna, start=NOW, end=NOW + 60 * MINUTE)
    pass_time(NOW + 5 * MINUTE, NOW + 3 * MINUTE)
    own.refresh_from_db()
    assert own.active is False
    assert Rota.objects.get().uncovered_since is None
    assert Alarm.objects.filter(message__startswith="Nobody is on call").count() == 1


def test_a_step_calls_only_for_the_priorities_it_is_for_and_the_waits_stay() -> None:
    anna, ben, cara = mailed("anna"), mailed("ben"), mailed("cara")
    route(plan("Main", (0, anna), (300, ben, {"lowest_priority": 1}), (300, cara)))
    begin(alarm(machine(), priority=2))
    pass_time(NOW + 20 * MINUTE)
    assert called() == [(0, "anna", "due"), (10, "cara", "due")]


def test_the_most_specific_route_has_the_alarm() -> None:
    made = machine()
    anna, ben, cara = mailed("anna"), mailed("ben"), mailed("cara")
    route(plan("All", (0, anna)))
    route(plan("Line", (0, ben)), made.parent)
    route(plan("Safety", (0, cara)), made.parent, alarm_class="safety")
    begin(alarm(made))
    begin(alarm(made, alarm_class="safety"))
    assert [who for _, who, _ in called()] == ["ben", "cara"]


def test_maintenance_withholds_the_message_with_its_reason_and_the_call_waits_for_its_end() -> None:
    made = machine()
    anna, ben = mailed("anna"), mailed("ben")
    subscribe(ben)
    route(plan("Main", (0, anna), (300, ben)))
    MaintenanceWindow.objects.create(asset=made.parent, start=NOW - MINUTE, end=NOW + 30 * MINUTE, reason="new bearing")
    begin(alarm(made))
    assert {one.reason for one in Delivery.objects.all()} == {"maintenance of Line 1 until 02 Mar 06:30: new bearing"}
    pass_time(NOW + 40 * MINUTE)
    assert called() == [
        (0, "anna", "withheld"),
        (0, "ben", "withheld"),
        (30, "anna", "due"),
        (35, "ben", "due"),
    ]


def test_nobody_is_called_twice_within_a_minute_for_one_alarm() -> None:
    anna = mailed("anna")
    subscribe(anna)
    route(plan("Main", (0, anna), (30, team("Fitters", anna)), (60, anna)))
    begin(alarm(machine()))
    pass_time(NOW + 5 * MINUTE, step=timedelta(seconds=30))
    assert list(Delivery.objects.order_by("pk").values_list("outcome", "reason")) == [
        ("due", "Main, step 1: you by name"),
        ("withheld", "told of it less than a minute ago"),
        ("due", "Main, step 3: you by name"),
    ]


def test_a_step_taken_by_two_workers_is_taken_once() -> None:
    anna = mailed("anna")
    route(plan("Main", (300, anna)))
    begin(alarm(machine()))
    later = NOW + 5 * MINUTE
    escalation.take_due_steps(later)
    Call.objects.update(due=later, place=0)  # as a worker would see it that had read it before
    escalation.take_due_steps(later)
    assert called() == [(5, "anna", "due")]


# --- Quiet hours, digests, limits ----------------------------------------------------------------------------------

QUIET = [[[0, 480]]] * 7  # until 08:00


def test_quiet_hours_hold_a_message_until_their_end_and_drop_what_is_over_by_then(mail: MailServer) -> None:
    subscribe(mailed("anna", quiet_hours=QUIET))
    made = machine()
    standing, gone = alarm(made, priority=2), alarm(made, priority=2, message="Pressure low")
    begin(standing)
    begin(gone)
    assert [(one.outcome, one.reason) for one in Delivery.objects.all()] == [
        ("held", "your quiet hours, until 08:00")
    ] * 2
    Alarm.objects.filter(pk=gone.pk).update(state="D", active=False)
    send()
    assert mail.mails == []
    morning = NOW.replace(hour=8, minute=0, second=0)
    digests.send_held(morning)
    send(morning)
    assert [one["Subject"].startswith("[2 High] press-1-1 temperature high") for one in mail.mails] == [True]
    assert Delivery.objects.get(alarm=gone).reason == "over before it was to be told"


@pytest.mark.parametrize(("lets", "outcome"), [(1, "due"), (0, "held")])
def test_a_critical_alarm_breaks_quiet_hours_where_the_person_says_so(lets: int, outcome: str) -> None:
    subscribe(mailed("anna", quiet_hours=QUIET, quiet_lets=lets))
    begin(alarm(machine()))
    assert Delivery.objects.get().outcome == outcome


def test_who_is_on_call_is_not_silenced_by_quiet_hours() -> None:
    anna = mailed("anna", quiet_hours=QUIET, quiet_lets=0)
    route(plan("Main", (0, rota("Duty", anna))))
    begin(alarm(machine(), priority=4))
    assert called() == [(0, "anna", "due")]


def test_beyond_the_hourly_limit_messages_go_into_one_digest_that_says_how_many(mail: MailServer) -> None:
    subscribe(mailed("anna", hourly_limit=2))
    made = machine()
    for number in range(6):
        begin(alarm(made, priority=3, message=f"Alarm {number}"), NOW + timedelta(seconds=number))
    assert [one.outcome for one in Delivery.objects.order_by("pk")] == ["due"] * 2 + ["held"] * 4
    send(NOW + MINUTE)
    assert len(mail.mails) == 2
    digests.send_held(NOW + 59 * MINUTE)
    send(NOW + 59 * MINUTE)
    assert len(mail.mails) == 2
    digests.send_held(NOW + 60 * MINUTE)
    send(NOW + 60 * MINUTE)
    assert len(mail.mails) == 3
    assert mail.mails[2]["Subject"] == "Andon: 4 alarms were held back: 4 Medium"
    text = mail.mails[2].get_body(("plain",)).get_content()
    assert [f"Alarm {number}" in text for number in range(6)] == [False, False, True, True, True, True]
    assert {one.outcome for one in Delivery.objects.exclude(digest=None)} == {"gathered"}


def test_a_critical_alarm_is_not_held_by_the_limit_but_by_the_hard_one() -> None:
    anna = mailed("anna", hourly_limit=2)
    subscribe(anna)
    made = machine()
    for number in range(62):
        begin(alarm(made, message=f"Alarm {number}"))
    assert [one.outcome for one in Delivery.objects.order_by("pk")] == ["due"] * 60 + ["held"] * 2


def test_less_urgent_alarms_come_in_the_persons_hourly_digest() -> None:
    subscribe(mailed("anna", digest_from=3, time_zone="Asia/Kathmandu"))
    made = machine()
    begin(alarm(made, priority=2))
    begin(alarm(made, priority=3))
    assert [(one.outcome, one.reason) for one in Delivery.objects.order_by("pk")] == [
        ("due", "your subscription: the whole plant, 4 Low and above"),
        ("held", "your digest of 12:00"),
    ]


def test_a_digest_is_written_in_the_persons_language_and_by_their_clock(mail: MailServer) -> None:
    anna = mailed("anna", time_zone="Asia/Kathmandu", hourly_limit=1, language="de")
    subscribe(anna)
    made = machine()
    for number in range(3):
        begin(alarm(made, priority=3, message=f"Alarm {number}"))
    digests.send_held(NOW + 60 * MINUTE)
    send(NOW + 60 * MINUTE)
    assert "11:45" in mail.mails[-1].get_body(("plain",)).get_content()
    with in_the_words_of(anna):
        assert get_language() == "de"
    assert get_language() == "en"


def test_a_text_message_digest_says_how_many(provider: Provider) -> None:
    subscribe(person("anna"), "sms")
    Contact.objects.update(hourly_limit=1)
    made = machine()
    for number in range(4):
        begin(alarm(made, priority=3, message=f"Alarm {number}"))
    digests.send_held(NOW + 60 * MINUTE)
    outbox.send_due(NOW + 60 * MINUTE, jitter=lambda: 1.0)
    assert "3 alarms were held back: 3 Medium" in provider.taken[1][1]


def test_messages_to_come_do_not_pile_up_on_one_person_by_two_channels() -> None:
    anna = person("anna")
    Contact.objects.update(hourly_limit=3)
    subscribe(anna)
    subscribe(anna, "sms")
    made = machine()
    for number in range(3):
        begin(alarm(made, priority=3, message=f"Alarm {number}"))
    assert [one.outcome for one in Delivery.objects.order_by("pk")] == ["due"] * 3 + ["held"] * 3


def test_a_call_goes_by_the_channels_that_the_person_chose_for_its_priority() -> None:
    anna = person("anna")
    Contact.objects.update(channels={"1": ["sms"], "2": ["email"]})
    route(plan("Main", (0, anna)))
    made = machine()
    for priority in (1, 2, 3):
        begin(alarm(made, priority=priority))
    assert [(one.alarm.priority, one.channel) for one in Delivery.objects.order_by("pk")] == [
        (1, "sms"),
        (2, "email"),
        (3, "email"),
    ]
