"""The pages of who is called: on call, who would be told, maintenance, one's own wishes, calendar files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar

from alerts.models import Alarm, Contact, MaintenanceWindow, Rota, RotaOverride
from alerts.subscriptions import subscribe
from tests import factories
from tests.alerts.calling import crew

ROTA = "/on-call/duty/"


def me(browser: Client) -> User:
    """Gives the browser's person."""
    return User.objects.get(pk=browser.session["_auth_user_id"])


def allow(user: User, *codenames: str) -> None:
    """Gives somebody permissions."""
    for codename in codenames:
        user.user_permissions.add(Permission.objects.get(content_type__app_label="alerts", codename=codename))


def duty(*people: User, **fields: Any) -> Rota:
    """Makes a rota that has begun long ago."""
    return crew.rota("Duty", *people, **fields)


def read(answer: Any) -> str:
    """Gives an answer's page with blanks in one piece."""
    return " ".join(answer.content.decode().split())


def local(moment: datetime) -> str:
    """Gives a moment as a form sends it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}"


def test_who_is_on_call_now_stands_on_the_page_and_nobody_is_an_alert(browser: Client) -> None:
    factories.plant()
    duty(factories.operator("olga"))
    crew.rota("Empty")
    page = read(browser.get("/on-call/"))
    assert "<b>Olga Operator</b>" in page
    assert "Nobody is on call." in page


@pytest.mark.parametrize(("view", "days"), [("week", 7), ("month", 35), ("odd", 7)])
def test_a_rotas_calendar_shows_every_day_with_who_has_it(browser: Client, view: str, days: int) -> None:
    factories.plant()
    duty(factories.operator("olga"), turns=[1])
    page = read(browser.get(f"{ROTA}?view={view}&from=2026-03-10"))
    assert page.count("<h3>") - page.count("<h3>Swap") == days
    assert "Mon 9" in page
    assert page.count("Olga Operator</span>") >= days


def test_a_calendar_costs_the_same_for_a_week_and_for_five(browser: Client) -> None:
    factories.plant()
    duty(factories.operator("olga"), factories.viewer("vera"), turns=[1])
    counts = []
    for view in ("week", "week", "month"):
        with CaptureQueriesContext(connection) as seen:
            browser.get(f"{ROTA}?view={view}")
        counts.append(len(seen))
    assert counts[1] == counts[2], counts


def test_an_unknown_rota_is_missing(browser: Client) -> None:
    factories.plant()
    assert browser.get("/on-call/nothing/").status_code == 404


def test_somebody_takes_a_duty_and_gives_it_back(browser: Client) -> None:
    factories.plant()
    olga, vera = factories.operator("olga"), factories.viewer("vera")
    duty(olga)
    allow(me(browser), "add_rotaoverride", "delete_rotaoverride")
    start = timezone.now() + timedelta(hours=1)
    sent = {"user": vera.pk, "start": local(start), "end": local(start + timedelta(hours=2)), "reason": "dentist"}
    answer = browser.post(f"{ROTA}override", sent, follow=True)
    assert "Vera Viewer has the duty from" in read(answer)
    made = RotaOverride.objects.get()
    assert (made.user, made.reason, made.made_by) == (vera, "dentist", me(browser))
    browser.post(f"{ROTA}override/{made.pk}/drop")
    assert not RotaOverride.objects.exists()


def test_a_refused_duty_comes_back_with_what_was_typed_and_why(browser: Client) -> None:
    factories.plant()
    duty(factories.operator("olga"))
    allow(me(browser), "add_rotaoverride")
    answer = browser.post(f"{ROTA}override", {"user": "x", "start": "soon", "end": "", "reason": "dentist"})
    assert answer.status_code == 400
    assert "Write a date and a time." in read(answer)
    assert 'value="dentist"' in read(answer)


def test_who_may_not_arrange_calls_is_told_so_and_refused(browser: Client) -> None:
    factories.plant()
    duty(factories.operator("olga"))
    assert "Your account may not change who is on call." in read(browser.get(ROTA))
    for address in (
        f"{ROTA}override",
        f"{ROTA}swap",
        f"{ROTA}override/1/drop",
        "/maintenance/add",
        "/maintenance/1/end",
    ):
        assert browser.post(address).status_code == 403, address


def test_two_duties_are_swapped(browser: Client) -> None:
    factories.plant()
    duty(factories.operator("olga"), factories.viewer("vera"), turns=[1])
    allow(me(browser), "add_rotaoverride")
    coming = browser.get(ROTA).context["coming"]
    answer = browser.post(f"{ROTA}swap", {"first": coming[1][0], "second": coming[2][0]}, follow=True)
    assert "The two duties are swapped." in read(answer)
    assert RotaOverride.objects.count() == 2


def test_a_rotas_calendar_file_is_read_by_its_secret_address_alone(browser: Client) -> None:
    factories.plant()
    made = duty(factories.operator("olga"), turns=[1])
    answer = Client().get(f"/calendar/rota/{made.calendar_key}.ics")
    assert answer["Content-Type"].startswith("text/calendar")
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    assert len(events) == len({str(event["uid"]) for event in events})
    assert {str(event["summary"]) for event in events} == {"Duty: Olga Operator"}
    assert Client().get("/calendar/rota/duty.ics").status_code == 404


def test_the_same_duty_keeps_its_identity_from_day_to_day(browser: Client) -> None:
    from plant.pages.rotas import duties_of

    factories.plant()
    made = duty(factories.operator("olga"), factories.viewer("vera"))
    now = datetime(2026, 5, 6, 12, tzinfo=UTC)
    today, tomorrow = (
        {one.uid for one in duties_of(at, rota_id=made.pk) if one.start > now - timedelta(days=7)}
        for at in (now, now + timedelta(days=1, hours=5))
    )
    assert len(today) > 5
    assert today <= tomorrow


def test_ones_own_duties_have_an_address_that_ends_when_a_new_one_is_made(browser: Client) -> None:
    factories.plant()
    user = me(browser)
    duty(user, factories.operator("olga"), turns=[1])
    assert "Make an address" in read(browser.get("/subscriptions/"))
    browser.post("/subscriptions/calendar")
    first = Contact.objects.get(user=user).calendar_key
    answer = Client().get(f"/calendar/person/{first}.ics")
    assert {str(event["summary"]) for event in Calendar.from_ical(answer.content).walk("VEVENT")} == {"Duty"}
    browser.post("/subscriptions/calendar")
    assert Client().get(f"/calendar/person/{first}.ics").status_code == 404
    assert "/calendar/person/" in read(browser.get("/subscriptions/"))


def test_a_long_line_of_a_calendar_file_is_folded() -> None:
    from alerts.calling.ical import Duty, calendar

    now = datetime(2026, 5, 6, 12, tzinfo=UTC)
    text = calendar("R", [Duty("1@andon", now, now, "ä" * 200, "a,b;c\nd")], now=now, refresh=timedelta(hours=1))
    assert max(len(line) for line in text.split(b"\r\n")) <= 75
    event = Calendar.from_ical(text).walk("VEVENT")[0]
    assert (str(event["summary"]), str(event["description"])) == ("ä" * 200, "a,b;c\nd")


def test_who_would_be_told_is_shown_with_minute_channel_and_reason(browser: Client) -> None:
    press = factories.plant()[0]
    olga, vera = factories.operator("olga"), factories.viewer("vera")
    crew.route(crew.plan("Main", (0, duty(olga)), (300, vera)))
    page = read(browser.get(f"/told/?asset={press.code}&priority=1&at=2026-03-03T10:00"))
    assert "Main, step 1: on call for Duty" in page
    assert "5 min" in page
    assert "10:05" in page
    assert "no subscription, and no step calls them" in page
    # What is written to a person is theirs to whoever asks.
    subscribe(user=vera, asset=press.code, lowest_priority=4, channel="email", hours=None, also_clear=False)
    page = read(browser.get(f"/told/?asset={press.code}&priority=1&at=2026-03-03T10:00"))
    assert "their subscription: Press 1.1" in page and "your subscription" not in page
    reader = User.objects.get(username="operator")
    subscribe(user=reader, asset=press.code, lowest_priority=4, channel="email", hours=None, also_clear=False)
    assert "your subscription: Press 1.1" in read(browser.get(f"/told/?asset={press.code}&priority=1"))
    factories.sensor(press)
    rule = factories.rule(press)
    assert "Temperature high" in read(browser.get(f"/told/?rule={rule.pk}"))


def test_an_alarm_leads_to_who_would_be_told_of_it(browser: Client, raise_alarm: Callable[..., Alarm]) -> None:
    press = factories.plant()[0]
    factories.sensor(press)
    factories.rule(press)
    alarm = raise_alarm(press)
    address = f"/told/?alarm={alarm.pk}"
    assert address in read(browser.get(f"/alarms/{alarm.pk}/"))
    assert "Nobody would be told." in read(browser.get(address))


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 200), ("rule=999", 404), ("alarm=999", 404), ("asset=nowhere", 400), ("asset=&at=soon", 400),
     ("asset=&priority=9", 400), ("asset=", 200)],
)  # fmt: skip
def test_questions_that_make_no_sense_are_answered_so(browser: Client, query: str, status: int) -> None:
    factories.plant()
    assert browser.get(f"/told/?{query}").status_code == status


def test_the_check_shows_its_findings(browser: Client) -> None:
    press = factories.plant()[0]
    factories.sensor(press)
    factories.rule(press)
    page = read(browser.get("/told/check"))
    assert "Alarms that reach nobody" in page
    assert "1 critical alarm: nobody is told." in page


def test_maintenance_is_planned_and_ended(browser: Client) -> None:
    press = factories.plant()[0]
    allow(me(browser), "add_maintenancewindow", "delete_maintenancewindow")
    now = timezone.now()
    sent = {
        "asset": press.code,
        "start": local(now - timedelta(hours=1)),
        "end": local(now + timedelta(hours=2)),
        "reason": "bearing",
    }
    page = read(browser.post("/maintenance/add", sent, follow=True))
    assert "End now" in page
    made = MaintenanceWindow.objects.get()
    browser.post(f"/maintenance/{made.pk}/end")
    made.refresh_from_db()
    assert made.end <= timezone.now()
    refused = browser.post("/maintenance/add", {**sent, "reason": ""})
    assert refused.status_code == 400
    assert "Say what is done" in read(refused)


def test_past_maintenance_is_listed_to_the_first_of_all(browser: Client) -> None:
    press, now = factories.plant()[0], timezone.now()
    for number in range(45):
        start = now - timedelta(days=number + 1)
        MaintenanceWindow.objects.create(
            asset=press, start=start, end=start + timedelta(hours=1), reason=f"Bearing {number}."
        )
    pages = [browser.get(f"/maintenance/{query}") for query in ("", "?page=2", "?page=3")]
    assert [len(page.context["over"]) for page in pages] == [20, 20, 5]
    assert [("?page=2#over" in read(page), "?page=3#over" in read(page), "Newest" in read(page)) for page in pages] == [
        (True, False, False), (False, True, True), (False, False, True),
    ]  # fmt: skip
    assert "Bearing 44." in read(pages[2])
    assert browser.get("/maintenance/?page=x").context["over"] == pages[0].context["over"]


def test_only_ways_that_reach_a_person_can_be_chosen_for_calls(browser: Client) -> None:
    factories.plant()
    page = read(browser.get("/subscriptions/"))
    assert 'name="ways-1" value="email"' in page
    assert 'name="ways-1" value="team"' not in page
    assert browser.post("/subscriptions/preferences", {"ways-1": ["team"]}).status_code == 400


def test_wishes_are_saved_and_refused_ones_come_back(browser: Client) -> None:
    factories.plant()
    sent = {
        "quiet": "1", "quiet_from": "22:00", "quiet_to": "06:00", "quiet_lets": "1", "ways-1": ["sms"],
        "digest_from": "4", "hourly_limit": "6", "language": "de",
    }  # fmt: skip
    assert "Your wishes are saved." in read(browser.post("/subscriptions/preferences", sent, follow=True))
    contact = Contact.objects.get(user=me(browser))
    assert (contact.hourly_limit, contact.channels) == (6, {"1": ["sms"]})
    refused = browser.post("/subscriptions/preferences", {**sent, "hourly_limit": "many"})
    assert refused.status_code == 400
    assert "Schreiben Sie eine Zahl von 1 bis 60." in read(refused)  # as they have just wished
    assert 'value="many"' in read(refused)


# --- Over HTTP -----------------------------------------------------------------------------------------------------


def test_the_api_tells_what_the_pages_tell(browser: Client) -> None:
    press = factories.plant()[0]
    olga = factories.operator("olga")
    crew.route(crew.plan("Main", (0, duty(olga)), fallback=crew.team("Leads", olga)), press)
    api = "/api/v1"
    assert browser.get(f"{api}/rotas").json()["items"] == [
        {"code": "duty", "name": "Duty", "time_zone": "UTC", "on_call": "olga"}
    ]
    spans = browser.get(f"{api}/rotas/duty/duties?start=2026-03-01T00:00:00Z&end=2026-03-03T00:00:00Z").json()
    assert [one["user"] for one in spans["items"]] == [None, "olga"]
    assert browser.get(f"{api}/teams").json()["items"][0]["members"] == ["olga"]
    assert browser.get(f"{api}/call-plans").json()["items"][0]["steps"][0]["rota"] == "duty"
    assert browser.get(f"{api}/call-routes").json()["items"][0]["asset"] == press.code
    told = browser.get(f"{api}/told?asset={press.code}&priority=2&at=2026-03-03T10:00:00Z").json()
    assert [(one["user"], one["channel"], one["outcome"]) for one in told["items"]] == [("olga", "email", "due")]
    assert [one["kind"] for one in browser.get(f"{api}/calls/lint").json()["items"]] == ["route"]
    assert browser.get(f"{api}/maintenance").json()["items"] == []


def test_the_api_takes_duties_and_maintenance_from_those_who_may(browser: Client) -> None:
    press = factories.plant()[0]
    duty(factories.operator("olga"))
    now = timezone.now()
    times = {"start": (now + timedelta(hours=1)).isoformat(), "end": (now + timedelta(hours=2)).isoformat()}
    takeover, window = {"user": "olga", **times}, {"asset": press.code, "reason": "bearing", **times}

    def post(address: str, body: dict[str, Any]) -> int:
        return browser.post(f"/api/v1{address}", body, content_type="application/json").status_code

    assert (post("/rotas/duty/overrides", takeover), post("/maintenance", window)) == (403, 403)
    allow(me(browser), "add_rotaoverride", "add_maintenancewindow")
    assert (post("/rotas/duty/overrides", takeover), post("/maintenance", window)) == (200, 200)
    assert post("/rotas/duty/overrides", {**takeover, "user": "nobody"}) == 422
    assert post("/rotas/nothing/overrides", takeover) == 404
