"""Synoptics in the admin: what is uploaded there goes the same way."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from devices.models import Asset
from plant.models import Synoptic
from plant.roles import ensure_roles
from tests import factories
from tests.plant.synoptic.vectors import drawing

pytestmark = pytest.mark.django_db
ADD = "/admin/plant/synoptic/add/"


@pytest.fixture
def engineer(client: Client, clean_redis: Any) -> Client:
    """Gives the browser of somebody who may draw, and a plant."""
    factories.plant(machines=1)
    ensure_roles()
    client.force_login(factories.engineer())
    return client


def form(inside: str | None, **fields: Any) -> dict[str, Any]:
    """Gives what the form sends."""
    values = {"code": "hall", "name": "Hall", "asset": str(Asset.objects.get(code="hall").pk), **fields}
    if inside is not None:
        values["file"] = SimpleUploadedFile("hall.svg", drawing(inside).encode())
    return values


def test_an_upload_is_cleaned_and_a_version_of_it_is_kept(engineer: Client) -> None:
    assert engineer.get(ADD).status_code == 200
    answer = engineer.post(ADD, form("<script>alert(1)</script><rect/>"))
    assert answer.status_code == 302, answer.context["errors"]
    row = Synoptic.objects.get()
    assert (row.code, row.asset.code, "script" in row.drawing) == ("hall", "hall", False)
    change = f"/admin/plant/synoptic/{row.pk}/change/"
    assert "script&gt; was left out" in engineer.get(change).content.decode()
    engineer.post(change, form(None, name="The hall"))
    row.refresh_from_db()
    assert (row.name, row.history.count(), "<rect/>" in row.drawing) == ("The hall", 2, True)


def test_a_refusal_is_said_at_the_file(engineer: Client) -> None:
    assert "This is not an SVG file" in engineer.post(ADD, form("<g>")).content.decode()
    assert "Choose the SVG file." in engineer.post(ADD, form(None)).content.decode()
    assert not Synoptic.objects.exists()


def test_one_that_is_deleted_stays_in_the_history(engineer: Client) -> None:
    engineer.post(ADD, form("<rect/>"))
    row = Synoptic.objects.get()
    engineer.post(f"/admin/plant/synoptic/{row.pk}/delete/", {"post": "yes"})
    assert not Synoptic.objects.exists()
    assert Synoptic.history.filter(code="hall").count() == 2
