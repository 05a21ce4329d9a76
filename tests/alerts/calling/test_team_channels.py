"""A plan that calls a team posts to the team's channels too: once a step, and to a real endpoint."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from alerts import services
from alerts.calling import digests, escalation
from alerts.calling.foresight import Facts, foresee
from alerts.calling.plan import Plan
from alerts.flood.counter import interval_of
from alerts.models import Alarm, Call, Delivery, FloodLoad, MaintenanceWindow, TeamChannel
from tests.alerts.notify.cast import alarm, machine, person, send
from tests.alerts.notify.wire import Provider

from .crew import NOW, channel, may_acknowledge, plan, rota, route, team
from .test_escalation import MINUTE, begin, mailed, pass_time

pytestmark = pytest.mark.django_db


def posted() -> list[tuple[int, str, str]]:
    """Gives minute, channel and outcome of all posts in their order."""
    return [
        (round((one.created - NOW).total_seconds() / 60), one.team.name, one.outcome)
        for one in Delivery.objects.exclude(team=None).select_related("team").order_by("pk")
    ]


def rooms(provider: Provider) -> list[str]:
    """Gives where something arrived."""
    return [path.rsplit("/", 1)[1] for path, _ in provider.taken]


def test_a_step_that_calls_a_team_posts_once_to_each_of_its_channels_and_calls_its_people(provider: Provider) -> None:
    fitters = team("Fitters", mailed("anna"), mailed("ben"))
    channel("chat", fitters, provider.address)
    channel("pager", fitters, provider.address)
    channel("others", team("Others"), provider.address)
    route(plan("Main", (0, fitters), (300, fitters)))
    begin(alarm(machine()))
    assert [one.reason for one in Delivery.objects.all()] == ["Main, step 1: team Fitters"] * 4
    send()
    assert sorted(rooms(provider)) == ["chat", "pager"]
    pass_time(NOW + 10 * MINUTE)
    send(NOW + 10 * MINUTE)
    assert sorted(rooms(provider)) == ["chat", "chat", "pager", "pager"]
    assert [text.splitlines()[0].partition(":")[0] for _, text in provider.taken[::2]] == [
        "New alarm",
        "Nobody has acknowledged yet",
    ]


def test_a_step_taken_by_two_workers_posts_once_and_each_round_again(provider: Provider) -> None:
    fitters = team("Fitters")
    made = channel("chat", fitters, provider.address)
    route(plan("Main", (300, fitters), repeat=1, repeat_after=600.0))
    of = alarm(machine())
    begin(of)
    later = NOW + 5 * MINUTE
    escalation.take_due_steps(later)
    Call.objects.update(due=later, place=0)  # as a worker would see it that had read it before
    escalation.take_due_steps(later)
    assert posted() == [(5, "chat", "due")]
    pass_time(NOW + 60 * MINUTE)
    assert posted() == [(5, "chat", "due"), (20, "chat", "due")]
    keys = Delivery.objects.order_by("pk").values_list("key", flat=True)
    assert list(keys) == [f"{of.pk}:call:1.{number}.1:team:{made.pk}" for number in (1, 2)]


def test_a_channel_is_told_down_to_its_lowest_priority(provider: Provider) -> None:
    fitters = team("Fitters")
    channel("chat", fitters, provider.address)
    channel("pager", fitters, provider.address, lowest_priority=1)
    route(plan("Main", (0, fitters)))
    begin(alarm(machine(), priority=2))
    assert posted() == [(0, "chat", "due")]


def test_acknowledgement_stops_the_posts_and_a_re_alarm_begins_anew(provider: Provider) -> None:
    anna = mailed("anna")
    may_acknowledge(anna)
    fitters = team("Fitters")
    channel("chat", fitters, provider.address)
    route(plan("Main", (0, fitters), (300, fitters)))
    made = alarm(machine())
    begin(made)
    services.acknowledge(alarm_id=made.pk, user=anna, now=NOW + MINUTE)
    pass_time(NOW + 10 * MINUTE)
    assert posted() == [(0, "chat", "due")]
    (unsent,) = send(NOW + 10 * MINUTE)
    assert (unsent.outcome, unsent.reason) == ("withheld", "already acknowledged by Anna")
    Alarm.objects.filter(pk=made.pk).update(state="B")
    begin(Alarm.objects.get(pk=made.pk), NOW + 20 * MINUTE, "realarm", "C", "B")
    pass_time(NOW + 30 * MINUTE, NOW + 20 * MINUTE)
    assert posted()[1:] == [(20, "chat", "due"), (25, "chat", "due")]
    assert list(Delivery.objects.order_by("pk").values_list("event", flat=True)) == ["raise", "realarm", "call"]


def test_maintenance_withholds_the_post_and_the_step_waits_for_its_end(provider: Provider) -> None:
    made = machine()
    fitters = team("Fitters")
    channel("chat", fitters, provider.address)
    route(plan("Main", (0, fitters)))
    MaintenanceWindow.objects.create(asset=made, start=NOW - MINUTE, end=NOW + 30 * MINUTE, reason="new bearing")
    begin(alarm(made))
    pass_time(NOW + 40 * MINUTE)
    assert posted() == [(0, "chat", "withheld"), (30, "chat", "due")]
    assert Delivery.objects.earliest("pk").reason == "maintenance of Press 1.1 until 02 Mar 06:30: new bearing"


def test_a_shelved_alarm_is_posted_nowhere(provider: Provider) -> None:
    fitters = team("Fitters")
    channel("chat", fitters, provider.address)
    route(plan("Main", (0, fitters), (300, fitters)))
    begin(alarm(machine(), suppressed=["shelved"]))
    pass_time(NOW + 10 * MINUTE)
    assert posted() == [(0, "chat", "withheld")]


def test_a_flood_gathers_posts_into_one_that_names_each_alarm(provider: Provider) -> None:
    fitters = team("Fitters")
    channel("chat", fitters, provider.address)
    route(plan("Main", (0, fitters)))
    interval = interval_of(NOW.timestamp())
    FloodLoad.objects.create(position="", interval=interval, count=20, since=interval)
    made = machine()
    for number in range(3):
        begin(alarm(made, priority=2, message=f"Alarm {number}"))
    assert [outcome for _, _, outcome in posted()] == ["held"] * 3
    end = NOW.replace(minute=10, second=0)
    assert {one.due for one in Delivery.objects.all()} == {end}
    Alarm.objects.filter(message="Alarm 2").update(state="D", active=False)
    digests.send_held(end)
    send(end)
    ((path, text),) = provider.taken
    assert path == "/team/chat" and provider.titles == ["Andon: 2 alarms were held back: 2 High"]
    assert [f"Alarm {number}" in text for number in range(3)] == [True, True, False]
    assert [outcome for _, _, outcome in posted()] == ["gathered", "gathered", "withheld", "sent"]


def test_one_post_that_a_flood_held_goes_as_itself(provider: Provider) -> None:
    fitters = team("Fitters")
    channel("chat", fitters, provider.address)
    route(plan("Main", (0, fitters)))
    interval = interval_of(NOW.timestamp())
    FloodLoad.objects.create(position="", interval=interval, count=20, since=interval)
    begin(alarm(machine(), priority=2))
    end = NOW.replace(minute=10, second=0)
    digests.send_held(end)
    send(end)
    assert provider.titles == ["[2 High] press-1-1 temperature high, 97.3 °C"]


def test_where_nobody_is_on_call_the_channels_of_the_team_that_is_called_instead_are_told(provider: Provider) -> None:
    leads = team("Leads")
    channel("chat", leads, provider.address)
    made = plan("Main", (0, rota("Duty")), (300, rota("Day", mailed("anna"))), fallback=leads)
    route(made, lowest_priority=1)  # not the alarm of Andon itself that says so
    begin(alarm(machine()))
    pass_time(NOW + 10 * MINUTE)
    assert posted() == [(0, "chat", "due")]
    words = "Main, step 1: nobody is on call for Duty, team Leads is called instead"
    assert Delivery.objects.exclude(team=None).get().reason == words


def test_the_channels_are_those_of_when_the_alarm_was_raised_but_for_those_that_are_gone(provider: Provider) -> None:
    fitters = team("Fitters")
    channel("chat", fitters, provider.address)
    pager = channel("pager", fitters, provider.address)
    route(plan("Main", (300, fitters)))
    begin(alarm(machine()))
    pager.delete()
    channel("new", fitters, provider.address)
    TeamChannel.objects.filter(name="chat").update(team=None)
    pass_time(NOW + 10 * MINUTE)
    assert posted() == [(5, "chat", "due")]


def test_a_plan_that_was_frozen_before_teams_had_channels_is_read_as_it_was() -> None:
    fitters = team("Fitters", mailed("anna"))
    route(plan("Main", (300, fitters), fallback=fitters))
    begin(alarm(machine()))
    call = Call.objects.get()
    for step in call.plan["steps"]:
        del step["channels"]
    del call.plan["fallback_channels"]
    call.save()
    assert Plan.of(call.plan).steps[0].channels == ()
    pass_time(NOW + 10 * MINUTE)
    assert Delivery.objects.count() == 1 and posted() == []


def test_a_team_that_cannot_be_reached_is_tried_again_and_holds_up_nobody(provider: Provider) -> None:
    fitters = team("Fitters", mailed("anna"))
    channel("chat", fitters, provider.address)
    route(plan("Main", (0, fitters)))
    begin(alarm(machine()))
    provider.status = 500
    send()
    assert [(one.channel, one.outcome) for one in Delivery.objects.order_by("channel")] == [
        ("email", "sent"),
        ("team", "due"),
    ]
    provider.status = 200
    send(NOW + MINUTE)
    assert rooms(provider) == ["chat"]


def test_who_would_be_told_names_the_team_and_its_channel(client: Client, provider: Provider) -> None:
    made = machine()
    fitters = team("Fitters")
    channel("chat", fitters, provider.address)
    route(plan("Main", (0, fitters), (300, fitters)))
    foreseen = foresee(Facts(made.pk, 1), NOW)
    assert [(one.name, one.address, one.channel, one.decided) for one in foreseen.told] == [
        ("Fitters", "chat", "team", NOW),
        ("Fitters", "chat", "team", NOW + 5 * MINUTE),
    ]
    client.force_login(person("boss", is_staff=True, is_superuser=True))
    query = f"asset={made.code}&priority=1&at=2026-03-02T06:00:30"
    page = " ".join(client.get(f"/told/?{query}").content.decode().split())
    assert ">Fitters</td>" in page and "Team channel<span" in page and "2 messages, 0 people" in page
    items = client.get(f"/api/v1/told?{query}Z").json()["items"]
    assert [(one["user"], one["team"], one["channel"]) for one in items] == [(None, "Fitters", "team")] * 2


def test_who_would_be_told_in_a_flood_is_the_team_in_one_message(provider: Provider) -> None:
    made = machine()
    fitters = team("Fitters")
    channel("chat", fitters, provider.address)
    route(plan("Main", (0, fitters), (300, fitters)))
    interval = interval_of(NOW.timestamp())
    FloodLoad.objects.create(position="", interval=interval, count=20, since=interval)
    of = alarm(made, priority=2)
    foreseen = foresee(Facts.of_alarm(of), NOW)
    begin(of)
    later: datetime = NOW.replace(minute=10, second=0)
    pass_time(later + MINUTE, step=timedelta(seconds=30))
    assert [(one.at, one.holds) for one in foreseen.messages] == [(later, 2)]
    rows: Any = Delivery.objects.exclude(event="digest").order_by("pk")
    assert [(one.created, one.reason) for one in rows] == [(one.decided, one.reason) for one in foreseen.told]
    assert Delivery.objects.get(event="digest").gathered.count() == 2
