"""What a browser keeps to show without the server: the shell's files, two pages, and an end."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from plant.session import ENDS
from tests.plant.pages.test_weight import loaded


def _worker(client: Client) -> dict[str, Any]:
    first = client.get("/worker.js").content.decode().splitlines()[0]
    return json.loads(first.removeprefix("self.andon = ").removesuffix(";"))


def test_the_worker_names_every_file_that_the_shell_needs(client: Client) -> None:
    kept = _worker(client)
    names = {file.removeprefix(settings.STATIC_URL) for file in kept["files"]}
    assert {"js/main.js", "css/tokens.css", "js/ui/offline.js"} <= names
    assert all(map(finders.find, names))
    assert kept["root"] == settings.STATIC_URL
    assert (kept["pages"], kept["offline"]) == (["/", "/alarms/"], "/offline")


@pytest.mark.parametrize("address", ["/", "/alarms/"])
def test_the_worker_keeps_all_that_a_kept_page_reads(browser: Client, address: str) -> None:
    kept = {file.removeprefix(settings.STATIC_URL) for file in _worker(browser)["files"]}
    assert loaded(browser.get(address).content.decode()) - kept == set()


def test_the_page_without_the_server_is_in_the_readers_language_and_is_anybodys(client: Client) -> None:
    german = client.get("/offline", headers={"accept-language": "de"}).content.decode()
    assert "Der Server ist nicht erreichbar" in german and "/words/de/" in german
    assert "The server cannot be reached" in client.get("/offline").content.decode()
    assert _worker(client)["version"] != _worker(Client(headers={"accept-language": "de"}))["version"]


def test_a_page_says_in_whose_session_it_was_made_and_to_no_one_else(browser: Client, client: Client) -> None:
    one = browser.get("/alarms/")["X-Andon-Session"]
    assert one == browser.get("/")["X-Andon-Session"]
    assert str(browser.session.session_key) not in one
    assert "X-Andon-Session" not in Client().get("/sign-in")


def test_the_app_can_be_installed_with_icons_of_the_sizes_that_it_names() -> None:
    found = finders.find("manifest.webmanifest")
    with open(str(found)) as file:  # noqa: PTH123
        manifest = json.load(file)
    pictures = [icon for icon in manifest["icons"] if icon["type"] == "image/png"]
    assert {(icon["sizes"], icon["purpose"]) for icon in pictures} == {
        (size, purpose) for size in ("192x192", "512x512") for purpose in ("any", "maskable")
    }
    for icon in pictures:
        with open(str(finders.find(icon["src"])), "rb") as file:  # noqa: PTH123
            assert "{}x{}".format(*struct.unpack(">II", file.read(24)[16:])) == icon["sizes"]


def test_the_end_of_a_session_is_put_off_by_asking(browser: Client) -> None:
    session = browser.session
    session[ENDS] = 1
    session.save()
    assert 'data-session-ends="1"' in browser.get("/alarms/").content.decode()
    ends = browser.post("/session").json()["ends"]
    assert ends > 1 and f'data-session-ends="{ends}"' in browser.get("/alarms/").content.decode()
    assert Client().post("/session").status_code == 302
