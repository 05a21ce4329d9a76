"""Who is called, in the admin: every page opens, and what makes no sense is refused in the form."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from alerts.models import CallStep, Holiday, MaintenanceWindow, Membership, Rota, RotaLayer, RotaTurn, TeamChannel
from tests.alerts.notify.cast import machine, person

from .crew import channel, plan, rota, route, team

pytestmark = pytest.mark.django_db
PAGES = ("team", "rota", "rotalayer", "holiday", "callplan", "callroute", "maintenancewindow")


@pytest.fixture
def staff(client: Client) -> Client:
    """Gives the browser of somebody who may do anything."""
    client.force_login(person("boss", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_with_rows_and_empty(page: str, staff: Client) -> None:
    made = machine()
    anna = person("anna")
    duty = rota("Duty", anna)
    route(plan("Main", (0, duty), (60, team("Fitters", anna))), made)
    assert staff.get(f"/admin/alerts/{page}/").status_code == 200
    assert staff.get(f"/admin/alerts/{page}/add/").status_code == 200


def test_routes_are_listed_with_the_place_in_which_they_are_tried(staff: Client) -> None:
    made = machine()
    main = plan("Main", (0, person("anna")))
    route(main)
    route(main, made)
    text = staff.get("/admin/alerts/callroute/").content.decode()
    assert "Press 1.1, 1 Critical to 4 Low" in text
    assert "the whole plant, 1 Critical to 4 Low" in text


def test_stored_rotas_and_plans_open(staff: Client) -> None:
    duty = rota("Duty", person("anna"))
    main = plan("Main", (0, duty))
    assert staff.get(f"/admin/alerts/rota/{duty.pk}/change/").status_code == 200
    assert staff.get(f"/admin/alerts/callplan/{main.pk}/change/").status_code == 200
    assert staff.get(f"/admin/alerts/rotalayer/{RotaLayer.objects.get().pk}/change/").status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("hours", "[[[0, 60]]]", "Expected seven lists"),
        ("hours", "[[[60, 0]], [], [], [], [], [], []]", "Expected seven lists"),
        ("hours", '"always"', "Expected seven lists"),
        ("turns", "[0]", "Expected a list of whole days"),
        ("turns", "[1.5]", "Expected a list of whole days"),
    ],
)
def test_hours_and_turns_that_make_no_sense_are_refused(staff: Client, field: str, value: str, words: str) -> None:
    duty = Rota.objects.create(code="duty", name="Duty")
    sent: dict[str, Any] = {
        "rota": duty.pk, "order": 1, "name": "main", "first": "2026-03-02", "handover": "06:00", "turns": "[7]",
        "hours": "", "people_in_turn-TOTAL_FORMS": 0, "people_in_turn-INITIAL_FORMS": 0, field: value,
    }  # fmt: skip
    assert words in staff.post("/admin/alerts/rotalayer/add/", sent).content.decode()
    assert not RotaLayer.objects.exists()


def test_a_step_names_exactly_whom_it_calls(staff: Client) -> None:
    sent: dict[str, Any] = {
        "code": "main", "name": "Main", "repeat": 0, "repeat_after": 600, "steps-TOTAL_FORMS": 1,
        "steps-INITIAL_FORMS": 0, "steps-0-place": 2, "steps-0-wait": 0, "steps-0-whom": "rota",
        "steps-0-lowest_priority": 4,
    }  # fmt: skip
    refused = staff.post("/admin/alerts/callplan/add/", sent).content.decode()
    assert "Name the person, the rota or the team" in refused
    assert not CallStep.objects.exists()
    staff.post("/admin/alerts/callplan/add/", {**sent, "steps-0-rota": rota("Duty", person("anna")).pk})
    assert CallStep.objects.get().whom == "rota"


def test_maintenance_made_in_the_admin_says_who_made_it(staff: Client) -> None:
    made = machine()
    sent = {
        "asset": made.pk, "start_0": "2026-03-02", "start_1": "06:00", "end_0": "2026-03-02", "end_1": "08:00",
        "reason": "bearing",
    }  # fmt: skip
    staff.post("/admin/alerts/maintenancewindow/add/", sent)
    assert MaintenanceWindow.objects.get().made_by.get_username() == "boss"


def test_who_comes_and_goes_in_a_team_leaves_a_record_of_who_changed_it(staff: Client) -> None:
    anna, fitters = person("anna"), team("Fitters")
    form = {
        "code": "fitters", "name": "Fitters", "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0,
        "memberships-0-team": fitters.pk, "memberships-0-user": anna.pk,
    }  # fmt: skip
    assert staff.post(f"/admin/alerts/team/{fitters.pk}/change/", form).status_code == 302
    member = fitters.memberships.get()
    out = {**form, "memberships-INITIAL_FORMS": 1, "memberships-0-id": member.pk, "memberships-0-DELETE": "on"}
    assert staff.post(f"/admin/alerts/team/{fitters.pk}/change/", out).status_code == 302
    records = Membership.history.order_by("history_id").values_list("history_type", "user", "history_user__username")
    assert list(records) == [("+", anna.pk, "boss"), ("-", anna.pk, "boss")]


@pytest.mark.parametrize("model", [RotaLayer, RotaTurn, Holiday, CallStep, TeamChannel])
def test_what_decides_who_is_called_keeps_what_it_was(model: Any) -> None:
    duty = rota("Duty", person("anna"))
    plan("Main", (0, duty))
    Holiday.objects.create(day=date(2026, 5, 1), name="First of May", rota=duty)
    channel("room", team("Fitters"))
    made = model.objects.get()
    RotaTurn.objects.get().save()  # made by many at once, which leaves none
    made.delete()
    assert model.history.order_by("-history_id")[0].history_type == "-"


def test_the_record_of_a_team_channel_has_no_address() -> None:
    channel("room", team("Fitters"))
    assert "url" not in {field.name for field in TeamChannel.history.model._meta.get_fields()}
    assert TeamChannel.history.get().name == "room"


@pytest.mark.parametrize("page", ["rotalayer", "holiday"])
def test_the_history_of_a_layer_and_a_holiday_opens(page: str, staff: Client) -> None:
    duty = rota("Duty", person("anna"))
    Holiday.objects.create(day=date(2026, 5, 1), name="First of May")
    pk = duty.layers.get().pk if page == "rotalayer" else Holiday.objects.get().pk
    assert staff.get(f"/admin/alerts/{page}/{pk}/history/").status_code == 200
