"""What a browser loads for a page the first time, compressed: it must not grow unseen, in no language."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path, PurePosixPath

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client

from alerts.models import Rule
from devices import configuration, services
from devices.models import Asset, Sensor
from plant.demo import drawings, ground
from plant.demo.layout import FILE
from plant.models import Synoptic
from plant.synoptic.bindings import bindings_of
from plant.synoptic.queries import remarks
from tests import factories

MOST = 150 * 1024  # bytes
MACHINES = 200
MANY = 2_000  # each is a hexagon with its address and its words: 11 bytes
CHART_LIBRARY = "vendor/uplot/"
_PACKED = {".woff2", ".png", ".jpg"}  # compressed already


def content(name: str) -> bytes:
    found = finders.find(name)
    assert found is not None, f"{name} is not there"
    return Path(found).read_bytes()


def weight(name: str, data: bytes) -> int:
    return len(data) if PurePosixPath(name).suffix in _PACKED else len(gzip.compress(data, 6))


def modules(name: str, wanted: set[str], found: set[str]) -> None:
    """Adds a script and what it imports; of what it imports when asked for, only the page's own modules."""
    if name in found:
        return
    found.add(name)
    text = content(name).decode()
    imports = re.findall(r'^import\s[^"]*"([^"]+)"|^\} from "([^"]+)"', text, re.MULTILINE)
    names = [one or other for one, other in imports]
    names += [path for word, path in re.findall(r'(\w+): \(\) => import\("([^"]+)"\)', text) if word in wanted]
    for path in names:
        parts: list[str] = []
        for step in (PurePosixPath(name).parent / path).parts:
            if step == "..":
                parts.pop()
            elif step != ".":
                parts.append(step)
        modules("/".join(parts), wanted, found)


def loaded(page: str) -> set[str]:
    """Gives the static files that a page loads."""
    page = re.sub(r'<link rel="apple-touch-icon"[^>]*>', "", page)  # read where the app is put on a home screen
    found = set(re.findall(rf'(?:href|src)="{settings.STATIC_URL}([^"#?]+)', page))
    scripts: set[str] = set()
    named = re.search(r'data-modules="([^"]*)"', page)
    for name in [name for name in found if name.endswith(".js")]:
        brought = {"values"} if "data-tag=" in page else set()
        modules(name, brought | set(named[1].split() if named else ()), scripts)
    for name in [name for name in found if name.endswith(".css")]:
        found |= {f"vendor/{path}" for path in re.findall(r'url\("\.\./vendor/([^"]+)"\)', content(name).decode())}
    return found | scripts


def asked(client: Client, page: str) -> dict[str, bytes]:
    """Gives what a page's scripts ask for before they draw: the words of its language, the layers of its map."""
    addresses = re.findall(r'(?:src|href)="(/words/[^"]+)"', page)
    told = re.search(r'<script id="map-data" type="application/json">(.*?)</script>', page)
    addresses += [layer["url"] for layer in json.loads(told[1])["layers"]] if told else []
    found = {}
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        found[address] = b"".join(answer) if answer.streaming else answer.content
    return found


def weigh(client: Client, address: str) -> dict[str, int]:
    """Gives the compressed size of all that a page is made of, without the chart library."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    page = answer.content.decode()
    files = {name for name in loaded(page) if not name.startswith(CHART_LIBRARY)}
    assert "js/lib/socket.js" in files and "vendor/inter/files/inter-latin-wght-normal.woff2" in files
    weights = {name: weight(name, content(name)) for name in files} | {address: weight(address, page.encode())}
    return weights | {name: weight(name, data) for name, data in asked(client, page).items()}


def too_much(weights: dict[str, int]) -> str:
    """Gives the table of what is too heavy; nothing where it is not."""
    table = "\n".join(f"{size:7} {name}" for name, size in sorted(weights.items(), key=lambda row: -row[1]))
    return "" if sum(weights.values()) < MOST else f"{sum(weights.values())} bytes:\n{table}"


def grow(machines: int) -> None:
    """Puts so many machines more on the line, of four sensors each."""
    line = Asset.objects.get(code="line-1")
    Asset.objects.bulk_create(
        Asset(code=f"more-{n}", name=f"More {n}", level="machine", parent=line) for n in range(machines)
    )
    Sensor.objects.bulk_create(
        Sensor(asset=one, key=key, name=key.capitalize(), interval=1.0)
        for one in Asset.objects.filter(level="machine")
        for key in ("temp", "flow", "pressure", "state")
    )
    services.bump("plant")


@pytest.fixture(params=["en", "de"])
def language(request: pytest.FixtureRequest, browser: Client) -> str:
    """Gives a language; the browser's person reads it."""
    language: str = request.param
    browser.cookies["language"] = language
    return language


@pytest.mark.parametrize("address", ["/", "/a/hall/"])
def test_a_page_weighs_less_than_150_kb_without_the_chart_library(browser: Client, address: str, language: str) -> None:
    factories.plant()
    grow(MACHINES - 2)
    weights = weigh(browser, address)
    assert any(name.startswith("/words/") for name in weights) == (language == "de")
    assert too_much(weights) == ""


def test_the_overview_weighs_less_with_many_machines_too(browser: Client, language: str) -> None:
    factories.plant()
    grow(MANY - 2)
    assert too_much(weigh(browser, "/")) == ""


@pytest.fixture
def demo(browser: Client) -> Client:
    """Gives an engineer's browser on the demo plant, with its drawings and its map."""
    services.ensure_shards()
    configuration.load(FILE.read_text(encoding="utf-8"), reason="the demo plant")
    drawings.bring()
    ground.bring()
    browser.force_login(User.objects.create_superuser("emil", "emil@works.example"))
    return browser


def test_no_page_of_the_demo_plant_weighs_more(demo: Client, language: str) -> None:
    rule = Rule.objects.order_by("pk").first()
    assert rule is not None
    tags = "&".join(f"s={sensor.tag}" for sensor in rule.asset.sensors.all()[:4])
    pages = ["/", "/alarms/", "/map/", f"/trends/?{tags}", "/rules/", f"/rules/{rule.pk}/edit/"]
    pages += [f"/synoptics/{row.pk}/" for row in Synoptic.objects.all()]
    pages += [f"/a/{rule.asset.code}/", "/subscriptions/", "/performance/"]
    heavy = []
    for address in pages:
        answer = demo.get(address)  # an address by a code alone leads to the whole one
        heavy.append(too_much(weigh(demo, answer["Location"] if answer.status_code in (301, 302) else address)))
    assert [table for table in heavy if table] == []


def test_every_element_of_the_demo_drawings_follows_something_that_the_plant_has(demo: Client) -> None:
    rows = Synoptic.objects.all()
    assert len(rows) == len(drawings.DRAWINGS) == 3
    for row in rows:
        bindings = bindings_of(row.drawing)
        assert bindings, row.code
        assert remarks(bindings) == [], row.code
