"""Times that a program asks the alarm list for."""

import pytest

from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "sent", ["start=2026-03-01T06:00:00", "end=2026-03-01T06:00:00", "end=9999-12-31T23:59:59-14:00"]
)
def test_time_that_is_no_instant_is_refused_in_words(client, sent):
    client.force_login(factories.viewer())
    answer = client.get(f"/api/v1/alarms?{sent}")
    assert answer.status_code == 422
    assert "time" in answer.json()["error"].lower()


def test_time_with_an_offset_is_taken(client):
    client.force_login(factories.viewer())
    answer = client.get("/api/v1/alarms?start=2026-03-01T06:00:00%2B01:00&end=2026-03-01T06:00:00Z")
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})
