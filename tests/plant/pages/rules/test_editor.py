"""The editor: tried on the history, saved with a reason, refused in words, looked at without permission."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts import editing, rules
from alerts.changes import changes_of
from alerts.instants import to_us
from alerts.models import DraftChange, Rule, TypeRule
from alerts.workbench.trial import TimeIsUp
from alerts.workbench.turn import turn
from devices import services
from devices.models import Asset, Sensor
from devices.telemetry import history
from devices.telemetry.batch import Batch
from plant.pages.rules import result
from plant.pages.rules.form import Form
from plant.pages.rules.target import Target
from plant.roles import ensure_roles
from tests import factories
from tests.alerts.calling import crew
from tests.alerts.notify.cast import person, subscribe

from .test_form import sent


def read(answer: Any) -> str:
    """Gives an answer's page with blanks in one piece."""
    return " ".join(answer.content.decode().split())


def spikes(sensor: Sensor, count: int = 3600) -> None:
    """Stores an hour of one spike each 40 s, which ended an hour ago."""
    values = np.where(np.arange(count) % 40 == 0, 95.0, 60.0)
    times = to_us(timezone.now() - timedelta(hours=2)) + np.arange(count, dtype=np.int64) * 1_000_000
    batch = Batch(np.full(count, sensor.pk, np.int32), times, values, np.zeros(count, np.uint8))
    history.append(0, batch, np.zeros(count, np.bool_))


@pytest.fixture
def press(db: None) -> Asset:
    made = factories.plant(machines=1)[0]
    factories.sensor(made, normal_low=20.0, normal_high=70.0)
    return made


@pytest.fixture
def rule(press: Asset) -> Rule:
    return factories.rule(press)


@pytest.fixture
def engineer(client: Client, clean_redis: Any, db: None) -> Client:
    """Gives an engineer's browser."""
    ensure_roles()
    client.force_login(factories.engineer())
    return client


def fields(rule: Rule | TypeRule, **changes: Any) -> dict[str, Any]:
    """Gives what a browser sends of a rule's form with some fields changed."""
    target = Target.rule_of_asset(rule.pk) if isinstance(rule, Rule) else Target.rule_of_type(rule.pk)
    return {**sent(Form.of(target, 0)).dict(), "seen": str(editing.newest(rule)), **changes}


def page_of(rule: Rule | TypeRule) -> str:
    return reverse("rule-edit" if isinstance(rule, Rule) else "type-rule-edit", args=[rule.pk])


# --- Saving -------------------------------------------------------------------------------------


def test_an_engineer_saves_a_version_with_its_reason(engineer: Client, rule: Rule) -> None:
    page = read(engineer.get(page_of(rule)))
    assert "Save as version 2" in page
    done = engineer.post(page_of(rule), fields(rule, do="save", limit="92,5", reason="too many"), follow=True)
    assert "Saved as version 2." in read(done)
    rule.refresh_from_db()
    newest = changes_of(rule)[0]
    assert (rule.limit, rule.version, newest.who, newest.why) == (92.5, 2, "Emil Engineer", "too many")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "Write why: it is kept with the old values and your name."),
        ({"limit": "500"}, "500 lies outside the sensor’s range, 0 to 150."),
        ({"limit": ""}, "Write a number."),
        ({"sensor_key": ""}, "Choose a sensor."),
        ({"kind": "expression", "expression": "", "sensor_key": ""}, "Name the sensors that it reads."),
        ({"kind": "deviation", "reference": "nowhere"}, "press-1-1 has no sensor &#x27;nowhere&#x27;."),
        ({"limit": "warm"}, "Limit: “warm” is no number."),
        ({"name": ""}, "Write what the alarm is called."),
        ({"while-0": "alarm: Nothing"}, "press-1-1 has no rule &#x27;Nothing&#x27;."),
        ({"deadband": "-1"}, "deadband must not be negative, not -1."),
        ({"kind": "magic"}, "Choose what the rule looks for."),
    ],
)
def test_what_cannot_be_saved_is_refused_in_words_and_what_was_typed_stays(
    engineer: Client, rule: Rule, changes: dict[str, str], words: str
) -> None:
    answer = engineer.post(
        page_of(rule), fields(rule, do="save", **{"cause": "A word <kept>", "reason": "x", **changes})
    )
    assert answer.status_code == 400
    assert words in read(answer)
    assert "A word &lt;kept&gt;" in read(answer)
    rule.refresh_from_db()
    assert (rule.limit, rule.version) == (90.0, 1)


def test_a_limit_in_the_normal_range_is_warned_about_and_saved_all_the_same(engineer: Client, rule: Rule) -> None:
    tried = engineer.post(page_of(rule), fields(rule, do="trial", limit="65"))
    assert "65 lies within the normal range, 20 to 70: it raises alarms while all is well." in read(tried)
    engineer.post(page_of(rule), fields(rule, do="save", limit="65", reason="on purpose"))
    rule.refresh_from_db()
    assert rule.limit == 65.0


def test_who_is_second_is_told_and_may_still_save(engineer: Client, rule: Rule) -> None:
    mine = fields(rule, do="save", limit="95", reason="mine")
    rules.update_rule(rule=rule, reason="new bearings", limit=93.0)
    answer = engineer.post(page_of(rule), mine)
    assert answer.status_code == 409
    page = read(answer)
    assert "Somebody has changed this rule while you were writing." in page
    assert "limit 90 → <b>93</b>" in page and "new bearings" in page
    assert 'name="limit" value="95"' in page
    rule.refresh_from_db()
    assert rule.limit == 93.0
    again = {**mine, "seen": str(answer.context["form"].seen)}
    assert "Saved as version 3." in read(engineer.post(page_of(rule), again, follow=True))


def test_a_new_rule_comes_from_a_machine_and_a_sensor(engineer: Client, press: Asset) -> None:
    address = f"{reverse('rule-new')}?asset=press-1-1&sensor=temp"
    assert f'href="{address}"'.replace("&", "&amp;") in read(engineer.get("/a/hall/line-1/press-1-1/"))
    page = engineer.get(address)
    assert "Save as version 1" in read(page)
    form = sent(Form.of(Target(None, asset=press), 0, sensor="temp")).dict()
    form |= {"do": "save", "name": "Hot", "limit": "90", "priority": "2", "reason": "asked for by the shift"}
    engineer.post(address, form)
    made = Rule.objects.get()
    assert (made.name, made.limit, made.priority, made.sensor_key) == ("Hot", 90.0, 2, "temp")
    assert changes_of(made)[0].why == "asked for by the shift"
    assert "press-1-1 has a rule &#x27;Hot&#x27; already." in read(engineer.post(address, form))


def test_a_new_rule_asks_first_for_which_part_of_the_plant_it_is(engineer: Client, press: Asset) -> None:
    page = read(engineer.get(reverse("rule-new")))
    assert "For all assets of a type" in page and 'value="press-1-1"' in page
    again = engineer.get(f"{reverse('rule-new')}?asset=elsewhere")
    assert again.status_code == 400 and "There is no asset elsewhere." in again.content.decode()
    assert engineer.get(f"{reverse('rule-new')}?type=elsewhere").status_code == 404
    assert engineer.get(reverse("rule-edit", args=[987654])).status_code == 404


# --- Without permission -----------------------------------------------------------------------------


def test_who_may_only_look_sees_the_rule_and_who_can_let_them_change_it(rule: Rule, clean_redis: Any) -> None:
    viewer = Client()
    viewer.force_login(factories.viewer())
    User.objects.create_superuser("ada", first_name="Ada", last_name="Admin")
    page = read(viewer.get(page_of(rule)))
    assert "An engineer can change it. Ada Admin can make you one." in page
    assert '<fieldset class="all" disabled>' in page
    assert "Save as version" not in page and "Send for approval" not in page
    for do in ("save", "draft"):
        assert viewer.post(page_of(rule), fields(rule, do=do, limit="95", reason="x")).status_code == 403
    # They may try the rule, as it is stored and not as they send it.
    tried = viewer.post(page_of(rule), fields(rule, do="trial", limit="95"))
    assert tried.status_code == 200 and tried.context["form"].texts["limit"] == "90"
    rule.refresh_from_db()
    assert rule.limit == 90.0


def test_an_operator_sends_a_change_for_approval_and_an_engineer_sees_it(browser: Client, rule: Rule) -> None:
    User.objects.get(username="operator").user_permissions.add(Permission.objects.get(codename="add_draftchange"))
    page = read(browser.get(page_of(rule)))
    assert "Send for approval" in page and "Save as version" not in page
    assert browser.post(page_of(rule), fields(rule, do="save", limit="95", reason="x")).status_code == 403
    assert "A change needs a reason." in read(browser.post(page_of(rule), fields(rule, do="draft", limit="95")))
    browser.post(page_of(rule), fields(rule, do="draft", limit="95", cause="Dry", reason="nags"))
    draft = DraftChange.objects.get()
    assert (draft.after, draft.reason) == ({"limit": 95.0, "cause": "Dry"}, "nags")
    assert "Olga Operator has sent a change for approval: nags" in read(browser.get(page_of(rule)))


def test_a_draft_from_a_form_that_somebody_has_overtaken_does_not_propose_to_undo_them(
    browser: Client, rule: Rule
) -> None:
    User.objects.get(username="operator").user_permissions.add(Permission.objects.get(codename="add_draftchange"))
    written = fields(rule, do="draft", cause="Dry", reason="nags")
    rules.update_rule(rule=rule, reason="too early", limit=95.0)
    answer = browser.post(page_of(rule), written)
    assert answer.status_code == 409 and "too early" in read(answer)
    assert not DraftChange.objects.exists()


# --- The backtest -----------------------------------------------------------------------------


def test_the_backtest_counts_what_the_rule_would_have_raised_without_any_script(engineer: Client, rule: Rule) -> None:
    spikes(rule.asset.sensors.get())
    page = read(engineer.post(page_of(rule), fields(rule, do="trial")))
    # There is no month of readings, so that it is not said of a month.
    assert len(re.findall(r'<span class="n tn">90</span><span>alarms, data since [^<]+</span>', page)) == 3
    assert "alarms in 30 days" not in page
    assert "90 chattering" in page or "90 fleeting" in page
    assert "3 600 readings" in page
    assert "On-delay 2 s" in page and "<b>0 alarms</b>" in page
    assert "Nobody. No subscription and no plan asks for this alarm." in page
    assert 'href="/trends/?s=press-1-1%2Ftemp&amp;t=30d"' in page
    taken = engineer.post(page_of(rule), fields(rule, do="take", change=json.dumps({"on_delay": 2.0, "limit": 7.0})))
    page = read(taken)
    assert '<span class="n tn">0</span>' in page
    assert 'name="on_delay" value="2"' in page and 'name="limit" value="90"' in page
    rule.refresh_from_db()
    assert rule.on_delay == 0.0


def test_who_would_have_been_called_is_counted_over_all_alarms_and_what_is_cut_is_said(
    engineer: Client, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = person("anna")
    subscribe(anna)
    crew.route(crew.plan("Main", (0, crew.rota("Duty", anna, first=date(2020, 1, 6)))))
    spikes(rule.asset.sensors.get())
    engineer.post(page_of(rule), fields(rule, do="trial"))  # what is kept in memory is read
    with CaptureQueriesContext(connection) as asked:
        page = read(engineer.post(page_of(rule), fields(rule, do="trial")))
    # One row of the outbox for each of 90 alarms by each way, though the list beside names twelve.
    assert "<td>Anna</td><td>90 Email, 90 SMS</td>" in page
    assert "Of all 90 alarms, if nobody had answered them.</footer>" in page
    few = len(asked)
    monkeypatch.setattr(result, "CALLS", 30)
    monkeypatch.setattr(result, "MARKS", 50)
    with CaptureQueriesContext(connection) as asked:
        page = read(engineer.post(page_of(rule), fields(rule, do="trial")))
    assert "<td>Anna</td><td>30 Email, 30 SMS</td>" in page
    said = "Of the newest 30 of 90 alarms, if nobody had answered them. The chart marks the newest 50.</footer>"
    assert said in page
    assert len(asked) == few


def test_an_address_fills_the_change_in_and_saves_nothing(engineer: Client, rule: Rule) -> None:
    page = read(engineer.get(f"{page_of(rule)}?on_delay=2.5&deadband=-1&off_delay=nan&limit=7"))
    assert 'name="on_delay" value="2.5"' in page and 'name="limit" value="90"' in page
    assert 'name="deadband" value="-1"' not in page and 'value="nan"' not in page
    rule.refresh_from_db()
    assert rule.on_delay == 0.0


def test_a_script_is_told_bit_by_bit(engineer: Client, rule: Rule) -> None:
    spikes(rule.asset.sensors.get())
    answer = engineer.post(page_of(rule), fields(rule, do="trial"), headers={"X-Requested-With": "fetch"})

    async def whole() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    lines = [json.loads(line) for line in async_to_sync(whole)().splitlines()]
    said: dict[str, Any] = {}
    for line in lines:
        said |= line
    assert said.keys() >= {"advice", "result", "details", "trend", "options"}
    assert [lane["tag"] for lane in said["trend"]["lanes"]] == ["press-1-1/temp"]
    assert len(said["trend"]["marks"]) == 90
    assert said["advice"].keys() == {"cause"}
    wrong = engineer.post(page_of(rule), fields(rule, do="trial", limit="warm"), headers={"X-Requested-With": "fetch"})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["limit"])


def test_the_two_lanes_of_a_deviation_are_named_apart(engineer: Client, press: Asset) -> None:
    factories.sensor(press, "before", name="Pressure")
    factories.sensor(press, "after", name="Pressure")
    rule = factories.rule(press, "Filter clogs", kind="deviation", sensor_key="before", reference="after", limit=5.0)
    lanes = engineer.post(page_of(rule), fields(rule, do="trial")).context["result"].trend["lanes"]
    assert [lane["name"] for lane in lanes] == ["Pressure, press-1-1/before", "Pressure, press-1-1/after"]
    rule = factories.rule(press, "Runs hot", kind="deviation", sensor_key="temp", reference="after", limit=5.0)
    lanes = engineer.post(page_of(rule), fields(rule, do="trial")).context["result"].trend["lanes"]
    assert [lane["name"] for lane in lanes] == ["Temp", "Pressure"]


def test_of_no_readings_no_number_of_alarms_in_a_period_is_told(engineer: Client, rule: Rule) -> None:
    page = read(engineer.post(page_of(rule), fields(rule, do="trial")))
    assert page.count('<span class="n tn">0</span><span>alarms, no data</span>') == 3


@pytest.mark.django_db(transaction=True)
async def test_a_browser_that_turns_away_ends_the_backtest_and_the_turn_is_free(
    async_client: AsyncClient, clean_redis: Any
) -> None:
    def plant() -> tuple[User, Rule]:
        made = factories.plant(machines=1)[0]
        spikes(factories.sensor(made))
        return factories.viewer(), factories.rule(made)

    viewer, rule = await sync_to_async(plant)()
    await async_client.aforce_login(viewer)
    answer = await async_client.post(page_of(rule), {"do": "trial"}, headers={"X-Requested-With": "fetch"})
    lines = aiter(answer.streaming_content)
    while b'"result"' not in await anext(lines):
        pass
    assert turn.locked()
    await sync_to_async(answer.close)()  # as the handler does when the browser is gone
    assert not turn.locked()


@pytest.mark.django_db(transaction=True)
async def test_a_browser_that_reads_too_slowly_loses_the_turn_to_another_persons_backtest(
    async_client: AsyncClient, clean_redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plant() -> tuple[User, Rule, Client]:
        made = factories.plant(machines=1)[0]
        spikes(factories.sensor(made))
        other = Client()
        other.force_login(factories.engineer())
        return factories.viewer(), factories.rule(made), other

    viewer, rule, other = await sync_to_async(plant)()
    await async_client.aforce_login(viewer)
    answer = await async_client.post(page_of(rule), {"do": "trial"}, headers={"X-Requested-With": "fetch"})
    lines = aiter(answer.streaming_content)
    while b'"result"' not in await anext(lines):
        pass
    monkeypatch.setattr("plant.pages.rules.trial.LONGEST", 0.0)  # of the next one: it does not wait for long
    theirs = await sync_to_async(other.post)(page_of(rule), await sync_to_async(fields)(rule, do="trial"))
    assert "under way" not in read(theirs)
    rest = b"".join([line async for line in lines])
    assert b"It was read too slowly" in rest and b'"options"' not in rest
    assert not turn.locked()


def test_settings_that_are_not_tried_in_time_are_left_out_and_the_result_stays(
    engineer: Client, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    spikes(rule.asset.sensors.get())

    def at_once(until: float) -> None:
        raise TimeIsUp

    monkeypatch.setattr("plant.pages.rules.trial.end_after", at_once)
    answer = engineer.post(page_of(rule), fields(rule, do="trial"))
    found = answer.context["found"]
    assert found.result.shown is not None and (found.options, found.trouble) == (None, "")
    assert not turn.locked()


def test_while_others_have_the_turn_the_page_says_so(
    engineer: Client, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plant.pages.rules.trial.PATIENCE", 0.0)
    with turn:
        page = read(engineer.post(page_of(rule), fields(rule, do="trial")))
    assert "Other backtests are under way; try again when they are done." in page
    assert not turn.locked()


def test_a_types_rule_is_tried_on_all_its_machines_with_a_table(engineer: Client, press: Asset) -> None:
    kind = factories.asset_type()
    services.create_type_sensor(type=kind, key="heat", name="Heat", unit="degC", range_low=0.0, range_high=150.0)
    made = rules.create_type_rule(type=kind, name="Hot", kind="high", sensor_key="heat", limit=90.0)
    for number in (1, 2):
        pump = services.create_asset(
            code=f"pump-{number}", name=f"Pump {number}", level="machine", parent=press.parent, type=kind
        )
        if number == 2:
            spikes(pump.sensors.get())
    answer = engineer.post(page_of(made), fields(made, do="trial"))
    assert [(one.code, list(one.counts), one.shown) for one in answer.context["result"].machines] == [
        ("pump-2", [90, 90, 90], True), ("pump-1", [0, 0, 0], False),
    ]  # fmt: skip
    assert answer.context["result"].trend["code"] == "pump-2"
    other = engineer.post(page_of(made), fields(made, do="trial", machine="pump-1"))
    assert other.context["result"].trend["code"] == "pump-1"
    engineer.post(page_of(made), fields(made, do="save", limit="96", reason="spikes"))
    assert [one.limit for one in Rule.objects.filter(name="Hot")] == [96.0, 96.0]


def test_the_page_costs_the_same_with_three_rules_and_with_sixty(engineer: Client, rule: Rule) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert engineer.get(page_of(rule)).status_code == 200
        return len(caught)

    queries()
    few = queries()
    for number in range(57):
        factories.rule(rule.asset, f"Further {number}")
    queries()
    assert queries() == few <= 22
