"""What a person does to alarms and rules, over HTTP: addresses, permissions, answers."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from alerts.book import Book
from alerts.models import Alarm, Suppression
from tests import factories

pytestmark = pytest.mark.django_db

SHELVING = {"reason": "bad sensor", "minutes": 30}
SERVICE = {"reason": "valve out", "work_order": "WO-7", "review": "2099-01-01"}


@pytest.fixture
def press():
    machine = factories.plant()[0]
    factories.sensor(machine)
    return machine


@pytest.fixture
def rule(press):
    return factories.rule(press, cause="Cooling fails", action="Open the valve", time_to_respond=300, latching=True)


@pytest.fixture
def alarm(rule):
    with transaction.atomic():
        book = Book(timezone.now())
        book.load(rules=[rule.pk])
        book.raised(book.rule(rule.pk), at=book.now, value=95.0)
        book.write()
    return Alarm.objects.get()


@pytest.fixture
def operator(client):
    client.force_login(factories.operator())
    return client


@pytest.fixture
def fitter(client):
    client.force_login(factories.fitter())
    return client


def post(client, path, body=None):
    return client.post(f"/api/v1/{path}", body or {}, content_type="application/json")


def test_alarm_says_what_its_rule_says_to_the_operator(operator, alarm):
    said = operator.get(f"/api/v1/alarms/{alarm.pk}").json()
    assert (said["cause"], said["action"], said["time_to_respond"], said["suppression"]) == (
        "Cooling fails",
        "Open the valve",
        300.0,
        None,
    )
    assert (said["class"], said["group"], said["first_out"], said["silenced"], said["shelved_until"]) == (
        "", "", False, None, None,
    )  # fmt: skip


def test_shelved_alarm_says_until_when_by_whom_and_why(operator, alarm):
    said = post(operator, f"alarms/{alarm.pk}/shelve", SHELVING).json()
    assert (said["state"], said["suppressed"]) == ("B", ["shelved"])
    assert said["shelved_until"] == said["suppression"]["shelved_until"] is not None
    assert (said["suppression"]["shelved_by"], said["suppression"]["shelve_reason"]) == ("operator", "bad sensor")
    assert post(operator, f"alarms/{alarm.pk}/unshelve").json()["suppressed"] == []


def test_out_of_service_says_its_work_order_and_review(fitter, alarm):
    said = post(fitter, f"alarms/{alarm.pk}/out-of-service", SERVICE).json()
    assert (said["suppression"]["work_order"], said["suppression"]["review"]) == ("WO-7", "2099-01-01")
    assert post(fitter, f"alarms/{alarm.pk}/return", {"reason": "done"}).json()["suppressed"] == []


def test_silence_reset_and_comment_answer_with_the_alarm(operator, alarm):
    assert post(operator, f"alarms/{alarm.pk}/silence").json()["silenced"]
    Alarm.objects.update(state="F", active=False)
    assert post(operator, f"alarms/{alarm.pk}/reset", {"comment": "looked at"}).json()["state"] == "A"
    rows = post(operator, f"alarms/{alarm.pk}/comment", {"comment": "strainer"}).json()["items"]
    assert [row["event"] for row in rows] == ["raise", "silence", "reset", "comment"]


def test_rule_without_an_open_alarm_is_shelved_by_its_name(operator, press, rule):
    path = f"rules/{press.code}/{rule.name}"
    said = post(operator, f"{path}/shelve", SHELVING).json()
    assert (said["rule"], said["asset"], said["sensor"], said["alarm"], said["suppressed"]) == (
        "Temperature high", "press-1-1", "press-1-1/temp", None, ["shelved"],
    )  # fmt: skip
    assert operator.get(f"/api/v1/{path}/suppression").json() == said
    assert post(operator, f"{path}/comment", {"comment": "until Monday"}).status_code == 200
    assert post(operator, f"{path}/unshelve").json()["suppressed"] == []
    events = operator.get("/api/v1/events").json()["items"]
    assert [(row["event"], row["from"], row["to"], row["alarm"]) for row in events] == [
        ("shelve", "A", "G", None),
        ("comment", "G", "G", None),
        ("unshelve", "G", "A", None),
    ]


def test_rule_with_a_slash_in_its_name_has_an_address(fitter, press):
    factories.rule(press, "In/out")
    said = post(fitter, f"rules/{press.code}/In/out/out-of-service", SERVICE)
    assert (said.status_code, said.json()["rule"]) == (200, "In/out")
    assert post(fitter, f"rules/{press.code}/In/out/return").json()["suppressed"] == []


@pytest.mark.parametrize("path", ["rules/press-1-1/None/shelve", "rules/nowhere/None/shelve", "alarms/4711/shelve"])
def test_what_is_not_there_is_not_found(operator, press, path):
    assert post(operator, path, SHELVING).status_code == 404


@pytest.mark.parametrize(
    ("action", "body", "who"),
    [
        ("ack", {}, {"operator", "fitter"}),
        ("comment", {"comment": "x"}, {"operator", "fitter"}),
        ("silence", {}, {"operator"}),
        ("reset", {}, {"operator"}),
        ("shelve", SHELVING, {"operator"}),
        ("unshelve", {}, {"operator"}),
        ("out-of-service", SERVICE, {"fitter"}),
        ("return", {}, {"fitter"}),
    ],
)
@pytest.mark.parametrize("person", ["viewer", "operator", "fitter"])
def test_each_may_do_what_is_theirs(client, alarm, press, rule, action, body, who, person):
    client.force_login(getattr(factories, person)())
    answers = [post(client, f"alarms/{alarm.pk}/{action}", body).status_code]
    if action not in ("ack", "silence", "reset"):
        answers.append(post(client, f"rules/{press.code}/{rule.name}/{action}", body).status_code)
    bulk = {"out-of-service": "out_of_service", "return": "return_to_service"}.get(action, action)
    answers.append(post(client, "alarms/bulk", {"action": bulk, "alarms": [alarm.pk], "reason": "x"}).status_code)
    assert all((status != 403) is (person in who) for status in answers), answers


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"reason": "x", "minutes": 61}, 409, "may be shelved for 1 h at most"),
        ({"reason": "x"}, 409, "shelving needs an end"),
        ({"minutes": 5}, 422, "reason"),
        ({"reason": "x", "minutes": 5, "until": "2099-01-01T00:00:00Z"}, 422, "not both"),
        ({"reason": "x", "until": "2099-01-01T00:00:00"}, 422, "offset"),
        ({"reason": "x", "minutes": -5}, 422, "minutes"),
    ],
)
def test_shelving_that_cannot_be_is_refused_in_words(operator, alarm, body, status, words):
    answer = post(operator, f"alarms/{alarm.pk}/shelve", body)
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_bulk_answers_for_each_alarm_and_rule(operator, alarm, press, rule):
    factories.rule(press, "Warm", limit=80.0, priority="low")
    body = {
        "action": "shelve",
        "alarms": [alarm.pk, 4711],
        "rules": [{"asset": press.code, "rule": "Warm"}],
        **SHELVING,
    }
    said = post(operator, "alarms/bulk", body).json()
    assert said["done"] == 1
    assert [(item.get("alarm"), item.get("rule"), item["done"], item["refused"]) for item in said["items"]] == [
        (alarm.pk, None, False, True),
        (4711, None, False, True),
        (None, "Warm", True, False),
    ]
    assert "critical" in said["items"][0]["message"]
    assert post(operator, "alarms/bulk", {**body, "also_critical": True}).json()["done"] == 1


def test_bulk_of_nothing_is_refused(operator):
    answer = post(operator, "alarms/bulk", {"action": "ack"})
    assert (answer.status_code, answer.json()["error"]) == (422, "No alarm is named.")


def test_lists_keep_to_what_is_not_presented_for_one_reason(operator, alarm, press):
    factories.rule(press, "Warm", limit=80.0)
    post(operator, f"rules/{press.code}/Warm/shelve", SHELVING)
    assert operator.get("/api/v1/alarms?show=shelved").json()["items"] == []
    post(operator, f"alarms/{alarm.pk}/shelve", SHELVING)
    assert [item["id"] for item in operator.get("/api/v1/alarms?show=shelved").json()["items"]] == [alarm.pk]
    for show in ("suppressed", "out_of_service", "presented"):
        assert operator.get(f"/api/v1/alarms?show={show}").json()["items"] == [], show
    assert len(operator.get("/api/v1/alarms").json()["items"]) == 1  # what stands in the interface keeps its meaning
    rows = operator.get("/api/v1/suppressions?show=shelved&limit=1").json()
    assert [item["rule"] for item in rows["items"]] == ["Warm"]
    rest = operator.get(f"/api/v1/suppressions?show=shelved&cursor={rows['next']}").json()
    assert [(item["rule"], item["alarm"]) for item in rest["items"]] == [("Temperature high", alarm.pk)]
    assert operator.get("/api/v1/suppressions?show=out_of_service").json()["items"] == []


def test_list_of_shelved_alarms_costs_the_same_for_one_and_for_many(operator, alarm, press, django_assert_num_queries):
    post(operator, f"alarms/{alarm.pk}/shelve", SHELVING)
    # who asks, the rows, until when
    with django_assert_num_queries(3):
        assert operator.get("/api/v1/alarms?show=shelved").json()["items"][0]["shelved_until"]


def test_shelving_ends_when_it_was_said_to(operator, alarm):
    until = timezone.now() + timedelta(minutes=20)
    post(operator, f"alarms/{alarm.pk}/shelve", {"reason": "x", "until": until.isoformat()})
    assert Suppression.objects.get().shelved_until == until
