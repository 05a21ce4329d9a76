"""What scripts and browsers read of a page is written for them, whatever the reader's language."""

from __future__ import annotations

import contextlib
import io
import json
import re
import struct
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client
from django.utils import translation

from alerts.models import Alarm, Rota, RotaLayer, RotaTurn, State, TypeRule
from devices.models import Asset
from plant.synoptic.services import create_synoptic
from tests import factories
from tests.devices.telemetry.history.keeping import append
from tests.gallery.pages import FACTS, SHOWN, Shown, there

NUMBER = re.compile(r"[-−]?\d+,\d+")
LENGTH = re.compile(r"[-−\d],\d+(px|%|r?em)")
# Beside all data- attributes; a list of points has commas that are none in a number.
READ = {
    "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "min", "max", "step", "datetime",
    "aria-valuenow", "aria-valuemin", "aria-valuemax", "stroke-width", "transform",
}  # fmt: skip


class _Attributes(HTMLParser):
    """Collects what is no number to a script, and what is no JSON."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._json: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Looks at the attributes that are read."""
        for name, value in attrs:
            text = value or ""
            localised = (name.startswith("data-") or name in READ) and NUMBER.fullmatch(text)
            if localised or (name == "style" and LENGTH.search(text)):
                self.found.append(f"<{tag} {name}={text!r}>")
            if text[:1] in ("[", "{") and name.startswith("data-"):
                self._parse(text)
        if tag == "script" and ("type", "application/json") in attrs:
            self._json = ""

    def handle_data(self, data: str) -> None:
        """Takes the text of a script."""
        if self._json is not None:
            self._json += data

    def handle_endtag(self, tag: str) -> None:
        """Reads inline JSON as the page's script does."""
        if tag == "script" and self._json is not None:
            self._parse(self._json)
            self._json = None

    def _parse(self, text: str) -> None:
        try:
            json.loads(text)
        except ValueError:
            self.found.append(text[:120])


def localised(page: str) -> list[str]:
    parser = _Attributes()
    parser.feed(page)
    return parser.found


@pytest.fixture
def works(press: Asset, clean_redis: Any, raise_alarm: Callable[..., Alarm]) -> Iterator[dict[str, Any]]:
    """Gives a plant with something on every page, in broken numbers; the facts that the addresses name."""
    User.objects.create_superuser("edda", "edda@works.example", "a long enough password")
    labels = {"quantity": "state", "unit": "", "range_low": None, "range_high": None, "labels": {"1": "running"}}
    temp, state = press.sensors.get(key="temp"), factories.sensor(press, "state", **labels)
    now = int(time.time() * 1e6) // 1000 * 1000 + 123
    for sensor, value in ((temp, 91.53), (state, 1.0)):
        clean_redis.hset(f"andon:latest:{press.shard}", str(sensor.pk), struct.pack("<qdB", now, value, 0))
        append([(sensor.pk, now - ago * 500_003, value - (ago % 7) / 3, 0, False) for ago in range(5000, -1, -20)])
    raise_alarm(press, minutes=5.171, value=91.53, limit=90.25, frozen={"kind": "high", "limit": 90.25})
    over = raise_alarm(press, minutes=95.513, rule=None, state=State.RETURNED)
    over.cleared = over.raised + timedelta(seconds=282.5)
    over.save()
    rota = Rota.objects.create(code="shift", name="Shift lead")
    layer = RotaLayer.objects.create(rota=rota, name="Lead", first=date(2026, 1, 5))
    RotaTurn.objects.create(layer=layer, place=1, user=User.objects.get(username="edda"))
    kind = factories.asset_type()
    TypeRule.objects.create(type=kind, name="Speed high", kind="high", sensor_key="speed", limit=80.5, priority=3)
    drawn = '<text x="9.5" y="40" data-sensor="press-1-1/temp">00.0</text>'
    file = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80.5 60">{drawn}</svg>'
    create_synoptic(name="Press 1", asset=Asset.objects.get(code="line-1"), file=file.encode())
    with contextlib.redirect_stdout(io.StringIO()) as told:
        exec(FACTS.format(user="edda"), {})  # as in the plant that the gallery shows
    yield json.loads(told.getvalue())


def test_no_number_that_a_script_reads_has_a_comma_in_german(works: dict[str, Any]) -> None:
    inside, outside = Client(headers={"accept-language": "de"}), Client(headers={"accept-language": "de"})
    inside.force_login(User.objects.get(username="edda"))
    inside.cookies["language"] = outside.cookies["language"] = "de"
    found: dict[str, list[str]] = {}
    seen = 0

    def look(shown: Shown) -> None:
        nonlocal seen
        address = there(shown, works)
        assert address, f"The plant lacks what {shown.file} shows"
        answer = (inside if shown.signed_in else outside).get(address)
        page = answer.content.decode()
        assert 'lang="de"' in page, address
        seen += answer.status_code == 200
        if wrong := localised(page):
            found[address] = wrong

    for shown in SHOWN:
        look(shown)
    assert found == {}
    assert seen >= len(SHOWN) - 4  # one is not found, three are of links that are over


def test_a_localised_number_is_seen() -> None:
    with translation.override("de"):
        page = Template('<p data-since="{{ since }}"><rect x="{{ x }}"><i style="width: {{ x }}%">{{ x }}</i></p>')
        drawn = page.render(Context({"since": 1795723532.25, "x": 7.5}))
    assert localised(drawn) == [
        "<p data-since='1795723532,25'>", "<rect x='7,5'>", "<i style='width: 7,5%'>",
    ]  # fmt: skip
    assert localised('<p data-stretches="[1,5">') == ["[1,5"]
    assert localised('<p data-since="7.5" data-codes="[1,5]"><polygon points="8,1 7,5"></p>') == []
