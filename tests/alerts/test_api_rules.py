"""Rules over HTTP: read with every field, written by engineers with a reason."""

from typing import Any

import pytest

from alerts import catalogue
from alerts.configuration import RulesSection
from alerts.models import Rule
from plant.roles import ensure_roles
from tests import factories

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/rules/press-1-1/Temperature high"


@pytest.fixture
def engineer(client):
    ensure_roles()
    machine = factories.plant()[0]
    factories.sensor(machine)
    factories.sensor(machine, "flow")
    factories.rule(machine)
    catalogue.create_class(code="safety", name="Safety")
    client.force_login(factories.engineer())
    return client


def send(client, method: str, address: str, body: dict[str, Any]) -> tuple[int, Any]:
    answer = getattr(client, method)(address, body, content_type="application/json")
    return answer.status_code, answer.json()


def test_every_field_of_plant_yaml_is_there(engineer):
    found = engineer.get(ADDRESS).json()
    assert {field.key for field in RulesSection.fields} <= set(found)
    assert (found["limit"], found["priority"], found["sensor"], found["from_type"]) == (90.0, "critical", "temp", False)
    assert engineer.get("/api/v1/rules", {"asset": "hall"}).json()["items"] == [found]
    assert engineer.get("/api/v1/rules/press-1-1/Other").status_code == 404


def test_a_limit_changes_with_a_reason_only(engineer):
    status, answer = send(engineer, "patch", ADDRESS, {"limit": 95})
    assert (status, "a change of limit needs a reason" in answer["error"]) == (422, True)
    status, answer = send(engineer, "patch", ADDRESS, {"limit": 95, "class": "safety", "reason": "new bearings"})
    assert (status, answer["limit"], answer["class"]) == (200, 95.0, "safety")
    found = engineer.get("/api/v1/changes", {"asset": "press-1-1", "rule": "Temperature high"}).json()["items"][0]
    assert (found["who"], found["reason"]) == ("Emil Engineer", "new bearings")
    assert found["fields"] == {"limit": {"old": 90.0, "new": 95.0}, "class": {"old": "", "new": "safety"}}


def test_a_change_is_taken_back(engineer):
    send(engineer, "patch", ADDRESS, {"limit": 95, "reason": "new bearings"})
    query = "?asset=press-1-1&rule=Temperature high"
    number = engineer.get(f"/api/v1/changes{query}").json()["items"][0]["id"]
    status, answer = send(engineer, "post", f"/api/v1/changes/{number}/take-back{query}", {"reason": "they were not"})
    assert (status, answer["items"][0]["reason"]) == (200, "they were not")
    assert Rule.objects.get().limit == 90.0
    assert send(engineer, "post", f"/api/v1/changes/{number}/take-back{query}", {})[0] == 422


def test_a_rule_is_written_completely(engineer):
    body = {
        "sensor": "temp", "kind": "high", "limit": 120, "priority": "high", "class": "safety",
        "hides": "Temperature high",
        "suppress_when": [{"sensor": "flow", "equals": [0]}], "realarm": 600, "severity": "severe",
        "reason": "second level",
    }  # fmt: skip
    status, made = send(engineer, "put", "/api/v1/rules/press-1-1/Very hot/now", body)
    assert (status, made["name"], made["suppress_when"]) == (200, "Very hot/now", [{"sensor": "flow", "equals": [0]}])
    status, answer = send(engineer, "put", ADDRESS, {"sensor": "temp", "kind": "low", "limit": 5, "reason": "turned"})
    assert (status, answer["kind"], answer["priority"], answer["deadband"]) == (200, "low", "medium", 0.0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"limmit": 3}, "did you mean limit"),
        ({"limit": "much", "reason": "x"}, "limit"),
        ({"priority": "urgent", "reason": "x"}, "unknown priority"),
        ({"class": "safty"}, "did you mean safety"),
        ({"limit": 999, "reason": "x"}, "outside the sensor's range"),
    ],
)
def test_what_is_wrong_is_said(engineer, body, words):
    status, answer = send(engineer, "patch", ADDRESS, body)
    assert (status, words in answer.get("error", "")) == (422, True), answer
    assert Rule.objects.get().limit == 90.0


def test_who_may_not_change_rules_is_refused(engineer):
    engineer.force_login(factories.operator())
    assert engineer.get(ADDRESS).status_code == 200
    assert send(engineer, "patch", ADDRESS, {"limit": 95, "reason": "x"})[0] == 403
    assert send(engineer, "put", ADDRESS, {"limit": 95, "reason": "x"})[0] == 403
    assert send(engineer, "post", "/api/v1/changes/1/take-back?asset=press-1-1&rule=Temperature high", {})[0] == 403


def test_classes_and_positions_are_listed(engineer):
    catalogue.create_position(code="desk", name="Desk", staffed=[[[360, 1320]]] * 7)
    assert engineer.get("/api/v1/alarm-classes").json()["items"][0]["code"] == "safety"
    assert engineer.get("/api/v1/positions").json()["items"] == [
        {"code": "desk", "name": "Desk", "scope": None, "staffed": {"mon-sun": "06:00-22:00"}}
    ]
