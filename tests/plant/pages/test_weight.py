"""What a browser loads for the overview the first time, compressed: it must not grow unseen."""

from __future__ import annotations

import gzip
import re
from pathlib import Path, PurePosixPath

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from devices import services
from devices.models import Asset, Sensor
from tests import factories

MOST = 150 * 1024  # bytes
MACHINES = 200
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
    found = set(re.findall(r'(?:href|src)="/static/([^"#?]+)', page))
    scripts: set[str] = set()
    named = re.search(r'data-modules="([^"]*)"', page)
    for name in [name for name in found if name.endswith(".js")]:
        modules(name, set(named[1].split()) if named else set(), scripts)
    for name in [name for name in found if name.endswith(".css")]:
        found |= {f"vendor/{path}" for path in re.findall(r'url\("\.\./vendor/([^"]+)"\)', content(name).decode())}
    return found | scripts


@pytest.fixture
def large(browser: Client) -> Client:
    """Gives a browser on a plant of 200 machines."""
    factories.plant()
    line = Asset.objects.get(code="line-1")
    Asset.objects.bulk_create(
        Asset(code=f"more-{n}", name=f"More {n}", level="machine", parent=line) for n in range(MACHINES - 2)
    )
    Sensor.objects.bulk_create(
        Sensor(asset=one, key=key, name=key.capitalize(), interval=1.0)
        for one in Asset.objects.filter(level="machine")
        for key in ("temp", "flow", "pressure", "state")
    )
    services.bump("plant")
    return browser


@pytest.mark.parametrize("address", ["/", "/a/hall/"])
def test_a_page_weighs_less_than_150_kb_without_the_chart_library(large: Client, address: str) -> None:
    page = large.get(address).content.decode()
    files = {name for name in loaded(page) if not name.startswith(CHART_LIBRARY)}
    assert "js/lib/socket.js" in files and "vendor/inter/files/inter-latin-wght-normal.woff2" in files
    weights = {name: weight(name, content(name)) for name in files} | {address: weight(address, page.encode())}
    table = "\n".join(f"{size:7} {name}" for name, size in sorted(weights.items(), key=lambda row: -row[1]))
    assert sum(weights.values()) < MOST, f"{sum(weights.values())} bytes:\n{table}"
