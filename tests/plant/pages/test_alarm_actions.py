"""Shelve, reset, silence, out of service on the pages: forms without scripts, refusals, lists of what is hidden."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alarm, JournalEntry, Rule, State, Suppression
from devices.models import Asset
from tests import factories

from .console import RaiseAlarm

SCRIPT = {"X-Requested-With": "fetch"}


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def events(alarm: Alarm) -> list[tuple[str, str]]:
    return list(JournalEntry.objects.filter(alarm=alarm).order_by("pk").values_list("event", "reason"))


def test_the_form_offers_what_the_alarm_allows(press: Asset, raise_alarm: RaiseAlarm) -> None:
    alarm = raise_alarm(press, priority=1)
    alarm.frozen = {**alarm.frozen, "longest_shelving": 3600.0}
    alarm.save()
    page = signed_in(factories.operator("olga")).get(f"/alarms/shelve?alarm={alarm.pk}")
    assert [minutes for minutes, _, _ in page.context["lengths"]] == [15, 60]
    assert "1 h at most" in page.content.decode()


def test_an_alarm_is_shelved_without_scripts_and_stands_in_its_own_list(press: Asset, raise_alarm: RaiseAlarm) -> None:
    alarm, olga = raise_alarm(press), signed_in(factories.operator("olga"))
    answer = olga.post("/alarms/shelve", {"alarm": alarm.pk, "minutes": "60", "reason": "transmitter on the bench"})
    assert (answer.status_code, answer.url) == (302, "/alarms/")
    alarm.refresh_from_db()
    assert alarm.suppressed == ["shelved"]
    assert [line.alarm.pk for line in olga.get("/alarms/").context["lines"]] == []
    [row] = olga.get("/alarms/?show=shelved").context["rows"]
    assert (row.why, row.by, row.alarm) == ("transmitter on the bench", "Olga Operator", alarm.pk)
    assert abs((row.until - timezone.now()) - timedelta(hours=1)) < timedelta(minutes=1)
    olga.post(f"/rules/{row.rule}/unshelve")
    alarm.refresh_from_db()
    assert (alarm.suppressed, alarm.state) == ([], State.UNACKED)


@pytest.mark.parametrize(("reason", "minutes"), [("", "60"), ("why", "99999"), ("why", "")])
def test_shelving_that_cannot_be_is_refused_in_words(
    press: Asset, raise_alarm: RaiseAlarm, reason: str, minutes: str
) -> None:
    alarm, olga = raise_alarm(press), signed_in(factories.operator("olga"))
    form = {"alarm": alarm.pk, "minutes": minutes, "reason": reason}
    answer = olga.post("/alarms/shelve", form, HTTP_X_REQUESTED_WITH="fetch")
    assert answer.status_code == 409
    assert answer.json()["error"].startswith("This alarm")
    alarm.refresh_from_db()
    assert alarm.suppressed == []


def test_many_are_shelved_with_one_reason_and_critical_ones_are_left_out(press: Asset, raise_alarm: RaiseAlarm) -> None:
    others = [factories.rule(press, f"Rule {number}", priority=priority) for number, priority in ((1, 1), (2, 3))]
    alarms = [raise_alarm(press, rule=rule, priority=rule.priority) for rule in others]
    olga = signed_in(factories.operator("olga"))
    form = {"alarm": [alarm.pk for alarm in alarms], "minutes": "15", "reason": "line stopped"}
    answer = olga.post("/alarms/shelve", form, HTTP_X_REQUESTED_WITH="fetch").json()
    assert answer["message"].startswith("Shelved. That was done to 1 alarm. It is critical")
    assert Suppression.objects.get().rule == others[1]
    assert olga.post("/alarms/shelve", {**form, "critical": "1"}).status_code == 302
    assert Suppression.objects.filter(switches=["shelved"]).count() == 2


def test_a_rule_is_taken_out_of_service_by_maintenance_only(press: Asset) -> None:
    rule = Rule.objects.get()
    form = {"reason": "new sensor", "work_order": "WO 88", "review": "2100-01-02"}
    assert signed_in(factories.operator("olga")).post(f"/rules/{rule.pk}/out-of-service", form).status_code == 403
    fitter = signed_in(factories.fitter())
    assert fitter.get(f"/rules/{rule.pk}/out-of-service").status_code == 200
    assert fitter.post(f"/rules/{rule.pk}/out-of-service", {**form, "review": "soon"}).status_code == 302
    assert not Suppression.objects.filter(switches=["out_of_service"])
    fitter.post(f"/rules/{rule.pk}/out-of-service", form)
    [row] = fitter.get("/alarms/?show=out_of_service").context["rows"]
    assert (row.why, row.work_order, row.review.year, row.overdue) == ("new sensor", "WO 88", 2100, False)
    fitter.post(f"/rules/{rule.pk}/return")
    assert fitter.get("/alarms/?show=out_of_service").context["rows"] == []


def test_a_latched_alarm_is_reset_on_its_page(press: Asset, raise_alarm: RaiseAlarm) -> None:
    alarm = raise_alarm(press, state=State.LATCHED_ACKED)
    olga = signed_in(factories.operator("olga"))
    assert f"/alarms/{alarm.pk}/reset" in olga.get(f"/alarms/{alarm.pk}/").content.decode()
    olga.post(f"/alarms/{alarm.pk}/reset")
    alarm.refresh_from_db()
    assert alarm.closed is not None
    assert events(alarm)[-1] == ("reset", "reset")


def test_silence_stops_the_horn_for_all_that_sounds_and_acknowledges_nothing(
    press: Asset, raise_alarm: RaiseAlarm
) -> None:
    loud, acked = raise_alarm(press), raise_alarm(press, state=State.ACKED)
    olga = signed_in(factories.operator("olga"))
    answer = olga.post("/alarms/silence", HTTP_X_REQUESTED_WITH="fetch").json()
    assert answer == {"message": "1 alarm silenced.", "done": True}
    loud.refresh_from_db()
    acked.refresh_from_db()
    assert (loud.silenced is not None, loud.state, acked.silenced) == (True, State.UNACKED, None)
    again = olga.post("/alarms/silence", HTTP_X_REQUESTED_WITH="fetch").json()
    assert again == {"message": "No alarm sounds.", "done": False}


def test_what_was_announced_after_the_horn_was_heard_sounds_on(press: Asset, raise_alarm: RaiseAlarm) -> None:
    loud, anew = raise_alarm(press), raise_alarm(press, rule=factories.rule(press, "Rule 1"))
    olga = signed_in(factories.operator("olga"))
    olga.post("/alarms/shelve", {"alarm": anew.pk, "minutes": "15", "reason": "work on it"})
    olga.post(f"/alarms/{anew.pk}/unshelve")
    newest = JournalEntry.objects.latest("pk").pk
    olga.post("/alarms/silence", {"heard": f"{loud.pk}:0 {anew.pk}:{newest - 1}"})
    loud.refresh_from_db()
    anew.refresh_from_db()
    assert (loud.silenced is not None, anew.silenced) == (True, None)
    olga.post("/alarms/silence", {"heard": f"{anew.pk}:{newest}"})
    anew.refresh_from_db()
    assert anew.silenced is not None


@pytest.mark.parametrize("path", ["alarms/shelve", "alarms/silence", "alarms/out-of-service"])
def test_who_may_only_look_changes_nothing(press: Asset, raise_alarm: RaiseAlarm, path: str) -> None:
    alarm = raise_alarm(press)
    answer = signed_in(factories.viewer()).post(f"/{path}", {"alarm": alarm.pk, "reason": "why", "minutes": "15"})
    assert answer.status_code == 403
    assert not Suppression.objects.exclude(switches=[])


@pytest.mark.parametrize("query", ["", "?alarm=999", "?alarm=x"])
def test_what_is_not_there_cannot_be_shelved(press: Asset, query: str) -> None:
    assert signed_in(factories.operator("olga")).get(f"/alarms/shelve{query}").status_code == 404


def test_the_list_of_what_is_shelved_costs_the_same_for_2_and_for_40_rules(press: Asset) -> None:
    olga, person = signed_in(factories.operator("olga")), factories.operator("other")

    def shelved(count: int) -> None:
        for number in range(count):
            rule = factories.rule(press, f"Rule {Rule.objects.count()}-{number}")
            Suppression.objects.create(
                rule=rule, switches=["shelved"], shelved_by=person, shelved_at=timezone.now(),
                shelved_until=timezone.now() + timedelta(hours=1), shelve_reason="why",
            )  # fmt: skip

    def queries() -> int:
        olga.get("/alarms/?show=shelved")
        with CaptureQueriesContext(connection) as captured:
            assert olga.get("/alarms/?show=shelved").status_code == 200
        return len(captured)

    shelved(2)
    few = queries()
    shelved(38)
    assert queries() == few


# --- Lists of what is not presented, longer than a page ------------------------------------------------------------


@pytest.fixture
def shelf(press: Asset) -> list[Rule]:
    """Shelves 620 rules of one machine, the last with its own reason and person; gives them in the list's order."""
    now, anna = timezone.now(), factories.operator("anna")
    seed = Rule.objects.get(asset=press)
    kept = {
        field.name: getattr(seed, field.name)
        for field in Rule._meta.concrete_fields
        if field.name not in ("id", "name")
    }
    rules = Rule.objects.bulk_create(Rule(**{**kept, "name": f"Rule {number:03}"}) for number in range(620))
    Suppression.objects.bulk_create(
        Suppression(
            rule=rule, switches=["shelved"], shelved_at=now, shelved_until=now + timedelta(minutes=number + 1),
            shelve_reason="Pump seal leaks" if number == 619 else "Test run",
            shelved_by=anna if number == 619 else None,
        )
        for number, rule in enumerate(rules)
    )  # fmt: skip
    return rules


def test_what_is_not_presented_is_listed_page_by_page_to_the_last(shelf: list[Rule], browser: Client) -> None:
    first = browser.get("/alarms/?show=shelved")
    assert [row.rule for row in first.context["rows"]] == [rule.pk for rule in shelf[:100]]
    assert "1 to 100 of 620" in first.content.decode() and first.context["later"] == "/alarms/?show=shelved&page=2"
    last = browser.get("/alarms/?show=shelved&page=7")
    assert [row.rule for row in last.context["rows"]] == [rule.pk for rule in shelf[600:]]
    assert (last.context["earlier"], last.context["later"]) == ("/alarms/?show=shelved&page=6", "")
    # What stood on a last page may be presented again by now.
    beyond = browser.get("/alarms/?show=shelved&page=9")
    assert [row.rule for row in beyond.context["rows"]] == [rule.pk for rule in shelf[600:]]


def test_a_filter_finds_what_stands_on_no_page_near_the_first(shelf: list[Rule], browser: Client) -> None:
    def left(query: str) -> list[int]:
        return [row.rule for row in browser.get(f"/alarms/?show=shelved&{query}").context["rows"]]

    last = shelf[619].pk
    for words in ("619", "SEAL", "anna", "press-1-1 leaks rule"):
        assert left(f"q={words}") == [last], words
    assert left("q=seal valve") == left("priority=4") == left("area=nowhere") == left("class=other") == []
    Rule.objects.filter(pk=last).update(priority=4, alarm_class="safety")
    assert left("priority=4") == left("class=safety") == left("priority=4&area=hall") == [last]
    assert "Nothing matches the filter" in browser.get("/alarms/?show=shelved&q=nobody").content.decode()


def test_what_hides_by_design_is_found_in_the_readers_words(press: Asset, browser: Client) -> None:
    rule, other = Rule.objects.get(asset=press), factories.rule(press, "Oil low")
    for one, words in ((rule, "hidden by press-9: Guard open"), (other, "hidden by press-8: Guard open")):
        Suppression.objects.create(rule=one, switches=["by_design"], designed=[words], designed_at=timezone.now())
    for language, words in (("en", "hidden press-9"), ("de", "verborgen press-9")):
        said_so = browser.get("/alarms/", {"show": "suppressed", "q": words}, headers={"Accept-Language": language})
        assert [row.rule for row in said_so.context["rows"]] == [rule.pk], language


def test_a_page_of_hidden_ones_costs_the_same_queries_for_3_and_for_300(shelf: list[Rule], browser: Client) -> None:
    costs = []
    for rules in (shelf[:3], shelf[:300]):
        Suppression.objects.exclude(rule__in=rules).update(shelved_at=None)
        Suppression.objects.filter(rule__in=rules).update(shelved_at=timezone.now())
        browser.get("/alarms/?show=shelved&q=rule")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            browser.get("/alarms/?show=shelved&q=rule")
        costs.append(len(asked))
    assert costs[0] == costs[1] <= 22, costs


# --- Several at once -------------------------------------------------------------------------------------------------


def test_several_are_presented_again_after_one_question(press: Asset, raise_alarm: RaiseAlarm) -> None:
    rules = [Rule.objects.get(asset=press), factories.rule(press, "Oil low")]
    fritz, olga = signed_in(factories.fitter()), signed_in(factories.operator("olga"))
    query = "&".join(f"rule={rule.pk}" for rule in rules)
    for rule in rules:
        olga.post(f"/rules/{rule.pk}/shelve", {"minutes": "60", "reason": "Test run"})
        fritz.post(f"/rules/{rule.pk}/out-of-service", {"reason": "Motor out", "review": "2099-01-01"})
    for client, what, question in (
        (olga, "unshelve", "Unshelve 2 alarms?"), (fritz, "return", "Return 2 alarms to service?"),
    ):  # fmt: skip
        asked = client.get(f"/alarms/{what}?{query}&fragment=1").content.decode()
        assert question in asked and f"{press.code}, Oil low" in asked and "autofocus" in asked
        assert [len(row.switches) for row in Suppression.objects.all()] == ([2, 2] if what == "unshelve" else [1, 1])
        told = client.post(f"/alarms/{what}", {"rule": [rule.pk for rule in rules]}, headers=SCRIPT).json()
        assert told["message"].endswith("That was done to 2 alarms.")
    assert not Suppression.objects.exclude(shelved_at=None, out_at=None).exists()
    assert olga.get(f"/alarms/return?{query}").status_code == 403
    assert olga.get("/alarms/unshelve?rule=999999").status_code == 404


def test_several_that_are_latched_are_reset_after_one_question(press: Asset, raise_alarm: RaiseAlarm) -> None:
    olga = signed_in(factories.operator("olga"))
    alarms = [
        raise_alarm(press, rule=factories.rule(press, f"Trip {number}"), state=State.LATCHED_ACKED, active=False)
        for number in range(2)
    ]
    query = "&".join(f"alarm={alarm.pk}" for alarm in alarms)
    assert "Reset 2 alarms?" in olga.get(f"/alarms/reset?{query}").content.decode()
    assert Alarm.objects.filter(state=State.LATCHED_ACKED).count() == 2
    told = olga.post("/alarms/reset", {"alarm": [alarm.pk for alarm in alarms]}, headers=SCRIPT).json()
    assert told["message"].endswith("That was done to 2 alarms."), told
    assert not Alarm.objects.filter(closed=None).exists()


def test_an_acknowledgement_of_several_asks_and_changes_nothing_before_the_answer(
    press: Asset, raise_alarm: RaiseAlarm
) -> None:
    olga = signed_in(factories.operator("olga"))
    alarms = [raise_alarm(press), raise_alarm(press, rule=factories.rule(press, "Oil low"))]
    query = "&".join(f"alarm={alarm.pk}" for alarm in alarms)
    asked = olga.get(f"/alarms/ack?{query}&fragment=1").content.decode()
    assert "Acknowledge 2 alarms?" in asked and asked.count('name="alarm"') == 2
    assert set(Alarm.objects.values_list("state", flat=True)) == {State.UNACKED}


def test_a_critical_rule_is_shelved_by_itself(press: Asset) -> None:
    rule, olga = Rule.objects.get(asset=press), signed_in(factories.operator("olga"))
    Rule.objects.filter(pk=rule.pk).update(priority=1)
    told = olga.post(f"/rules/{rule.pk}/shelve", {"minutes": "60", "reason": "Test run"}, headers=SCRIPT)
    assert (told.status_code, told.json()["done"]) == (200, True), told.json()
    assert Suppression.objects.get(rule=rule).switches == ["shelved"]
