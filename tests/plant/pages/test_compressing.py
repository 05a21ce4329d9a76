"""Pages go compressed to whoever takes that, and their size gives nothing away."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db

TAKES = {"Accept-Encoding": "gzip, deflate, br"}


def test_page_is_a_fraction_of_itself_for_a_browser_that_takes_it_compressed(browser: Client) -> None:
    factories.plant(machines=30)
    plain = browser.get("/")
    assert "Content-Encoding" not in plain
    packed = browser.get("/", headers=TAKES)
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert len(packed.content) * 4 < len(plain.content)
    assert "Plant overview" in gzip.decompress(packed.content).decode()


def test_size_of_a_page_is_not_the_same_twice(browser: Client) -> None:
    factories.plant()
    assert len({len(browser.get("/sign-in/", headers=TAKES).content) for _ in range(12)}) > 1


def test_what_a_stream_gives_is_passed_on_as_it_comes(browser: Client) -> None:
    factories.sensor(factories.plant()[0])
    wanted = {"asset": "press-1-1", "start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}
    answer = browser.get("/api/v1/export", wanted, headers=TAKES)
    assert (answer.status_code, answer.streaming) == (200, True)
    assert "Content-Encoding" not in answer
