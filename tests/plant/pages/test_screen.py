"""How a person wants their screens: sound and single keys."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import factories


def body(browser: Client) -> str:
    """Gives the tag that tells the scripts of it."""
    return browser.get("/alarms/").content.decode().split("<body")[1].split(">")[0]


def test_sound_and_single_keys_are_a_persons_own(browser: Client) -> None:
    factories.plant(machines=1)
    assert "data-sound" in body(browser) and "data-no-single-keys" not in body(browser)
    script = {"X-Requested-With": "fetch"}
    assert browser.post("/screen", {"sound": "0"}, headers=script).status_code == 204
    assert browser.post("/screen", {"single_keys": "0"}, headers=script).status_code == 204
    assert "data-sound" not in body(browser) and "data-no-single-keys" in body(browser)
    other = Client()
    other.force_login(factories.operator("anna"))
    assert "data-sound" in body(other)


def test_who_may_not_silence_the_horn_for_all_is_known_to_the_page(browser: Client) -> None:
    factories.plant(machines=1)
    assert "data-may-silence" in body(browser)
    viewer = Client()
    viewer.force_login(factories.viewer())
    assert "data-may-silence" not in body(viewer)


@pytest.mark.parametrize("sent", [{}, {"sound": "loud"}, {"theme": "1"}])
def test_what_is_no_wish_is_refused(browser: Client, sent: dict[str, str]) -> None:
    assert browser.post("/screen", sent).status_code == 400
