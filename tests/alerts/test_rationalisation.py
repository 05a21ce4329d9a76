"""The priority that follows from severity and time to respond, and what a rule lacks."""

import pytest

from alerts import rationalisation
from alerts.models import AlarmClass, Position, Priority, Rule
from alerts.rationalisation import NO_ALARM, missing, suggested
from devices.models import Asset
from tests import factories

LOW, MEDIUM, HIGH, CRITICAL = Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.CRITICAL
MATRIX = [
    (31, (NO_ALARM, LOW, MEDIUM)),
    (30, (LOW, LOW, MEDIUM)),
    (10, (LOW, LOW, MEDIUM)),
    (9.9, (LOW, MEDIUM, HIGH)),
    (3, (LOW, MEDIUM, HIGH)),
    (2.9, (MEDIUM, HIGH, CRITICAL)),
    (0.1, (MEDIUM, HIGH, CRITICAL)),
]
THOUGHT_THROUGH = {"cause": "Dry", "consequence": "Seizes", "action": "Grease it", "time_to_respond": 120.0}


@pytest.mark.parametrize(("minutes", "priorities"), MATRIX)
def test_priority_follows_from_severity_and_time_to_respond(minutes, priorities):
    found = tuple(suggested(severity, minutes * 60.0) for severity in ("minor", "major", "severe"))
    assert found == priorities


def test_nothing_is_suggested_where_severity_or_time_is_missing():
    assert suggested("", 60.0) is None
    assert suggested("severe", None) is None


@pytest.mark.parametrize("priority", Priority)
def test_only_urgent_rules_must_be_thought_through(priority):
    empty = {"priority": priority, "cause": " \n", "consequence": "", "action": "", "time_to_respond": None}
    wanted = ("cause", "consequence", "action", "time_to_respond") if priority <= HIGH else ()
    assert missing(empty) == wanted
    assert missing({**empty, **THOUGHT_THROUGH}) == ()


@pytest.fixture
def press(db):
    machine = factories.plant()[0]
    factories.sensor(machine)
    AlarmClass.objects.create(code="safety", name="Safety")
    Position.objects.create(code="desk", name="Desk", scope=Asset.objects.get(code="press-1-2"))
    factories.rule(machine, "Bare")
    placed = {**THOUGHT_THROUGH, "alarm_class": "safety", "position": "desk"}
    factories.rule(machine, "Whole", severity="severe", **placed)
    factories.rule(machine, "Too urgent", severity="minor", **{**placed, "time_to_respond": 3600.0})
    factories.rule(machine, "Small", priority=LOW)
    factories.rule(machine, "Off", enabled=False)
    return machine


def test_the_review_names_what_is_open(press, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = {entry.name: entry for entry in rationalisation.review()}
    assert set(found) == {"Bare", "Whole", "Too urgent", "Small"}
    assert found["Bare"].missing == ("cause", "consequence", "action", "time_to_respond", "alarm_class", "position")
    assert not found["Bare"].differs
    assert not found["Whole"].missing and not found["Whole"].differs
    assert found["Too urgent"].suggested == NO_ALARM and found["Too urgent"].differs
    assert not found["Small"].missing


def test_an_urgent_rule_without_class_or_a_position_that_watches_it_is_listed(press, client):
    factories.rule(press, "Unwatched", severity="severe", **THOUGHT_THROUGH)
    client.force_login(factories.viewer())

    def lacks() -> dict[str, list[str]]:
        rows = client.get("/api/v1/rationalisation", {"show": "incomplete"}).json()["items"]
        return {row["rule"]: row["missing"] for row in rows}

    assert lacks() == {
        "Bare": ["cause", "consequence", "action", "time_to_respond", "alarm_class", "position"],
        "Unwatched": ["alarm_class", "position"],
    }
    Position.objects.create(code="hall-desk", name="Hall desk", scope=Asset.objects.get(code="hall"))
    assert lacks()["Unwatched"] == ["alarm_class"]
    Rule.objects.filter(name="Unwatched").update(alarm_class="safety")
    assert set(lacks()) == {"Bare"}


def test_the_api_counts_and_lists(press, client):
    client.force_login(factories.viewer())
    answer = client.get("/api/v1/rationalisation").json()
    assert answer["counts"] == {"rules": 4, "urgent": 3, "incomplete": 1, "differing": 1}
    assert [row["rule"] for row in answer["items"]] == ["Bare", "Too urgent"]
    assert answer["items"][1]["suggested_priority"] == "none"
    assert client.get("/api/v1/rationalisation", {"show": "all", "limit": 3}).json()["next"] == 3
    assert client.get("/api/v1/rationalisation", {"asset": "press-1-2"}).json()["counts"]["rules"] == 0
    assert client.get("/api/v1/rationalisation", {"asset": "nowhere"}).status_code == 404
