"""Rules, classes and positions in the admin: choices by name, a reason where one is needed, a history of all."""

import pytest
from django.urls import reverse

from alerts import catalogue
from alerts.changes import changes_of
from alerts.models import AlarmClass, Position, Rule, TypeRule
from devices import configuration
from devices.models import AssetType
from plant.roles import ensure_roles
from tests import factories
from tests.devices.configuration.plants import SMALL
from tests.devices.test_admin import form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer(client):
    ensure_roles()
    configuration.load(SMALL)
    catalogue.create_class(code="safety", name="Safety")
    catalogue.create_position(code="desk", name="Desk", staffed=[[[360, 1320]]] * 5 + [[], []])
    client.force_login(factories.engineer())
    return client


def address_of(row) -> str:
    return reverse(f"admin:alerts_{row._meta.model_name}_change", args=[row.pk])


@pytest.mark.parametrize("model", [AlarmClass, Position])
@pytest.mark.parametrize("page", ["changelist", "add", "change", "history", "delete"])
def test_every_page_of_classes_and_positions_opens_for_an_engineer(engineer, model, page):
    args = [model.objects.get().pk] if page in ("change", "history", "delete") else []
    assert engineer.get(reverse(f"admin:alerts_{model._meta.model_name}_{page}", args=args)).status_code == 200


def test_a_class_is_made_and_changed_and_its_history_says_by_whom(engineer):
    engineer.post(reverse("admin:alerts_alarmclass_add"), {"code": "quality", "name": "Quality", "shelvable": "on"})
    row = AlarmClass.objects.get(code="quality")
    data = form_of(engineer, address_of(row)) | {"longest_shelving": "3600"}
    assert engineer.post(address_of(row), data).status_code == 302
    row.refresh_from_db()
    assert (row.longest_shelving, row.history.count(), row.history.latest().history_user.username) == (
        3600.0,
        2,
        "engineer",
    )


def test_a_position_s_hours_are_lines_of_text(engineer):
    row = Position.objects.get()
    data = form_of(engineer, address_of(row))
    assert data["staffed"] == "mon-fri: 06:00-22:00"
    assert engineer.post(address_of(row), data).status_code == 302
    assert row.history.count() == 1
    engineer.post(address_of(row), data | {"staffed": "mon-fri: 06:00-14:00, 14:00-22:00\nsat: 6-14"})
    row.refresh_from_db()
    assert (row.staffed or [])[4:] == [[[360, 840], [840, 1320]], [[360, 840]], []]
    answer = engineer.post(address_of(row), data | {"staffed": "someday: 06:00-14:00"})
    assert "is no day" in answer.content.decode()


def test_a_class_that_a_rule_names_stays(engineer):
    rule = Rule.objects.get(asset__code="press-01", name="No flow")
    data = form_of(engineer, address_of(rule)) | {"alarm_class": "safety", "position": "desk"}
    assert engineer.post(address_of(rule), data).status_code == 302
    row = AlarmClass.objects.get()
    engineer.post(reverse("admin:alerts_alarmclass_delete", args=[row.pk]), {"post": "yes"})
    assert AlarmClass.objects.exists()


def test_a_limit_is_changed_with_a_reason_only(engineer):
    rule = Rule.objects.get(asset__code="press-01", name="Bearing hot")
    data = form_of(engineer, address_of(rule)) | {"limit": "85"}
    answer = engineer.post(address_of(rule), data)
    assert (answer.status_code, "Say why: you change limit." in answer.content.decode()) == (200, True)
    rule.refresh_from_db()
    assert rule.limit == 80.0
    assert engineer.post(address_of(rule), data | {"reason": "new bearings"}).status_code == 302
    rule.refresh_from_db()
    newest = changes_of(rule)[0]
    assert (rule.limit, newest.who, newest.why) == (85.0, "Emil Engineer", "new bearings")


def test_a_limit_on_the_page_of_the_type_is_changed_with_a_reason_only(engineer):
    address = reverse("admin:devices_assettype_change", args=[AssetType.objects.get().pk])
    data = form_of(engineer, address) | {"rules-0-limit": "95"}
    assert engineer.post(address, data).status_code == 200
    assert TypeRule.objects.get(name="Bearing hot").limit == 90.0
    assert engineer.post(address, data | {"rules-0-reason": "new bearings"}).status_code == 302
    copy = Rule.objects.get(asset__code="press-02", name="Bearing hot")
    assert (copy.limit, changes_of(copy)[0].why, changes_of(copy)[0].who) == (95.0, "new bearings", "Emil Engineer")


def test_suppression_is_lines_of_text(engineer):
    rule = Rule.objects.get(asset__code="press-01", name="No flow")
    data = form_of(engineer, address_of(rule)) | {"suppress_when": "state = 0, 4\nalarm: Bearing hot", "reason": "idle"}
    assert engineer.post(address_of(rule), data).status_code == 302
    rule.refresh_from_db()
    assert rule.suppress_when == [{"sensor": "state", "equals": [0.0, 4.0]}, {"alarm": "Bearing hot"}]
    data = form_of(engineer, address_of(rule))
    assert data["suppress_when"] == "state = 0, 4\nalarm: Bearing hot"
    assert "write alarm" in engineer.post(address_of(rule), data | {"suppress_when": "idle"}).content.decode()
