"""A NUL character, which PostgreSQL takes in no text, is refused wherever it comes in."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from alerts import services
from devices.checks import check_text
from devices.configuration import ConfigurationError, document
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "/find?q=%00",
        "/a/press%00/",
        "/alarms/?%00=1",
        "/api/v1/assets/press%00",
        "/api/v1/assets?search=a%00b",
        "/api/v1/sensors/press/%00",
    ],
)
def test_an_address_with_nul_is_answered_400(path: str) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    assert client.get(path).status_code == 400


def test_a_form_with_nul_is_answered_400() -> None:
    assert Client().post("/sign-in/", {"username": "ol\0ga", "password": "x"}).status_code == 400


def test_json_with_nul_is_answered_400() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    body = json.dumps({"comment": "seen\0"})
    assert client.post("/api/v1/alarms/1/comment", body, content_type="application/json").status_code == 400


def test_services_and_the_plant_file_refuse_nul_by_themselves() -> None:
    assert "NUL" in check_text("name", "Press\0", 120)[0].words
    with pytest.raises(services.Refused, match="NUL"):
        services.comment(alarm_id=1, user=factories.operator("olga"), text="seen\0", now=None)
    with pytest.raises(ConfigurationError, match="line 2: a text holds a NUL"):
        document.parse('assets:\n  - {code: site, name: "Si\\0te"}\n')
