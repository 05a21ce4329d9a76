"""What is wrong with who is called is found, and nothing else."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.calling.lint import lint
from alerts.models import AlarmClass, Delivery, Subscription, TeamChannel
from tests import factories
from tests.alerts.notify.cast import machine, person, subscribe

from .crew import NOW, channel, may_acknowledge, plan, rota, route, team

pytestmark = pytest.mark.django_db
WORK = [[[360, 1080]]] * 5 + [[], []]


def found() -> list[tuple[str, str, str]]:
    """Gives kind, what it is about, and the words."""
    return [(one.kind, one.about, one.words) for one in lint(NOW)]


def test_alarms_that_reach_nobody_are_counted_by_machine_and_priority() -> None:
    made = machine()
    factories.rule(made)
    factories.rule(made, "Also hot", limit=95.0)
    factories.rule(made, "Warm", limit=80.0, priority=3)
    subscribe(person(), lowest_priority=1)
    assert found() == [("nobody", "Press 1.1", "1 medium alarm: nobody is told.")]
    Subscription.objects.update(enabled=False)
    assert found()[0] == ("nobody", "Press 1.1", "2 critical alarms: nobody is told.")


def test_alarms_that_reach_nobody_at_some_hours_are_named_with_the_hours() -> None:
    factories.rule(machine())
    subscribe(person(), hours=WORK)
    assert found() == [
        ("nobody", "Press 1.1", "1 critical alarm: nobody is told from Mon 2 Mar 18:00 to Tue 3 Mar 06:00.")
    ]
    subscribe(person("ben", zone="Asia/Tokyo"))
    assert found() == []


def test_who_has_no_address_is_nobody() -> None:
    factories.rule(machine())
    olga = person(phone="")
    subscribe(olga, "sms")
    assert [kind for kind, _, _ in found()] == ["nobody", "address"]
    assert found()[1][1:] == ("Olga", "A subscription, but no mobile number.")


def test_a_route_reaches_by_its_plan() -> None:
    factories.rule(machine())
    made = plan("Main", (0, rota("Duty", person("anna"))), fallback=team("Leads", person("ben")))
    route(made)
    assert found() == []


def test_a_plan_that_calls_nobody_is_found() -> None:
    factories.rule(machine())
    subscribe(person())
    route(plan("Empty"))
    made = plan("Main", (0, team("Nobody")), (0, rota("Duty", person("anna"))))
    route(made, highest_priority=2)
    assert [(kind, about, words) for kind, about, words in found() if kind == "plan"] == [
        ("plan", "Empty", "It has no steps."),
        ("plan", "Main", "Step 1 reaches nobody."),
        ("plan", "Main", "Step 2: nobody is called where nobody is on call. Name a team for that."),
    ]


def test_rotas_with_gaps_are_found_with_the_first_of_them() -> None:
    rota("Duty", person("anna"), hours=[[[0, 1440]]] * 5 + [[], []])
    rota("Full", person("ben"), first=date(2026, 1, 5))
    assert [(about, words) for kind, about, words in found() if kind == "gap"] == [
        (
            "Duty",
            "Nobody is on call from Sat 7 Mar 00:00 to Mon 9 Mar 00:00; from Sat 14 Mar 00:00 to Mon 16 Mar 00:00; "
            "from Sat 21 Mar 00:00 to Mon 23 Mar 00:00, and 1 more gap.",
        )
    ]


def test_people_named_somewhere_who_left_or_have_no_address_are_found() -> None:
    gone, mute = person("gone", is_active=False), person("mute", phone="")
    mute.email = ""
    mute.save()
    team("Fitters", gone, mute)
    rota("Duty", mute)
    assert [(about, words) for kind, about, words in found() if kind == "address"] == [
        ("Gone", "Account switched off, named in team Fitters."),
        ("Mute", "No address at all, named in rota Duty, team Fitters."),
    ]


def test_an_address_that_was_given_up_last_is_found_until_a_message_arrives() -> None:
    olga = person()
    values = {"user": olga, "event": "raise", "channel": "email", "address": "o@x", "created": NOW, "due": NOW}
    Delivery.objects.create(key="1", outcome="dead", **values)
    assert found() == [("address", "Olga", "The last message to o@x was given up.")]
    Delivery.objects.create(key="2", outcome="sent", **values)
    assert found() == []


def test_a_team_without_people_and_channels_is_found_and_a_channel_without_a_team() -> None:
    empty = team("Fitters")
    team("Leads", person("anna"))
    channel("chat", team("Mechanics"))
    channel("old", None)
    assert found() == [
        ("team", "Fitters", "It has neither people nor a channel."),
        ("team", "old", "A channel of no team: nothing is sent to it."),
    ]
    TeamChannel.objects.filter(name="old").update(team=empty)
    assert found() == []


def test_a_team_is_reached_by_its_channel_for_the_priorities_that_it_is_for() -> None:
    made = machine()
    factories.rule(made)
    fitters = team("Fitters")
    main = plan("Main", (0, fitters))
    route(main)
    chat = channel("chat", fitters, lowest_priority=1)
    assert found() == []
    factories.rule(made, "Warm", limit=80.0, priority=3)
    assert found() == [("nobody", "Press 1.1", "1 medium alarm: nobody is told.")]
    chat.delete()
    assert [kind for kind, _, _ in found()] == ["nobody", "nobody", "plan", "team"]


def test_a_teams_channel_that_gave_up_last_is_found_by_the_teams_name() -> None:
    chat = channel("chat", team("Fitters"))
    values = {"team": chat, "event": "raise", "channel": "team", "address": "chat", "created": NOW, "due": NOW}
    Delivery.objects.create(key="1", outcome="dead", **values)
    assert found() == [("address", "Fitters", "The last message to chat was given up.")]
    Delivery.objects.create(key="2", outcome="sent", **values)
    assert found() == []


def test_routes_that_no_alarm_takes_are_found() -> None:
    made = machine()
    factories.rule(made)
    subscribe(person())
    AlarmClass.objects.create(code="safety", name="Safety")
    main = plan("Main", (0, person("anna")))
    route(main)
    route(main, order=2, lowest_priority=2)
    route(main, highest_priority=3)
    route(main, alarm_class="safety")
    route(main, alarm_class="unknown")
    assert [(about, words) for kind, about, words in found() if kind == "route"] == [
        ("the whole plant, 1 Critical to 4 Low, class safety", "No rule in force raises such alarms."),
        ("the whole plant, 1 Critical to 4 Low, class unknown", "There is no class unknown."),
        ("the whole plant, 3 Medium to 4 Low", "No rule in force raises such alarms."),
    ]


def test_a_route_behind_one_that_takes_all_its_alarms_is_found() -> None:
    factories.rule(machine())
    main = plan("Main", (0, person("anna")))
    route(main)
    route(main, order=2)
    assert found() == [("route", "the whole plant, 1 Critical to 4 Low", "A route before it takes all its alarms.")]


def test_the_command_lists_by_kind_and_fails_where_something_is_wrong() -> None:
    factories.rule(machine())
    said = StringIO()
    with pytest.raises(CommandError, match="1 findings"):
        call_command("calling", "lint", stdout=said)
    assert said.getvalue() == "Alarms that reach nobody:\n  Press 1.1: 1 critical alarm: nobody is told.\n"
    olga = person()
    subscribe(olga)
    may_acknowledge(olga)
    said = StringIO()
    call_command("calling", "lint", stdout=said)
    assert said.getvalue() == "Nothing is wrong with who is called.\n"


def test_a_large_plant_costs_the_same_queries_as_a_small_one() -> None:
    machines = factories.plant(lines=2, machines=4)
    counts = []
    for number, made in enumerate(machines):
        factories.sensor(made)
        factories.rule(made)
        person_ = person(f"p{number}")
        subscribe(person_, hours=WORK)
        route(plan(f"Plan {number}", (0, rota(f"Rota {number}", person_))), made)
        with CaptureQueriesContext(connection) as seen:
            lint(NOW)
        counts.append(len(seen))
    assert counts[-1] == counts[1], counts
