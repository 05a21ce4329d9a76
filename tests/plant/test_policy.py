"""A page says what it may load and run."""

from __future__ import annotations

import pytest
from django.test import Client

from plant.policy import POLICY


@pytest.mark.django_db
def test_our_pages_run_nothing_but_our_files_and_those_of_the_plant_setup_say_nothing() -> None:
    client = Client()
    assert client.get("/sign-in").headers["Content-Security-Policy"] == POLICY
    assert client.get("/nowhere").headers["Content-Security-Policy"] == POLICY
    assert "Content-Security-Policy" not in client.get("/admin/login/").headers
