"""axe-core finds nothing on any page, in both themes, none is wider than a phone; in German with its long words.

On a phone, whatever is pressed is large enough for a finger."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.gallery.pages import FACTS, SHOWN, there

from .axe import violations
from .conftest import Plant
from .walking import Opened, list_with

pytestmark = pytest.mark.browser

# What the plant of the journeys lacks for some pages to be there.
MORE = """
from datetime import date
from django.contrib.auth.models import User
from alerts.models import Rota, RotaLayer, RotaTurn, TypeRule
from devices.models import Asset
from plant.models import Synoptic
from plant.synoptic.services import create_synoptic
from tests import factories

User.objects.get_or_create(username="edda", defaults={"is_superuser": True, "is_staff": True})
if not Rota.objects.exists():
    rota = Rota.objects.create(code="shift", name="Shift lead")
    layer = RotaLayer.objects.create(rota=rota, name="Lead", first=date(2026, 1, 5))
    RotaTurn.objects.create(layer=layer, place=1, user=User.objects.get(username="max"))
if not TypeRule.objects.exists():
    kind = factories.asset_type()
    TypeRule.objects.create(type=kind, name="Speed high", kind="high", sensor_key="speed", limit=80.0, priority=3)
if not Synoptic.objects.exists():
    drawn = '<text x="9" y="40" data-sensor="press-1-1/temp">00.0</text><rect data-asset="press-1-1" data-bind="fill" '
    file = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 60">{drawn} width="9" height="9"/></svg>'
    create_synoptic(name="Press 1", asset=Asset.objects.get(code="line-1"), file=file.encode())
"""
DESK: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}
# What makes a page wider than its window: the first element that reaches to its end.
OVER = """async () => {
    const isOver = () => document.documentElement.scrollWidth > innerWidth;
    // What follows its room, as the hexagons do, has a second for it.
    for (let look = 0; look < 20 && isOver(); look += 1) await new Promise((done) => setTimeout(done, 50));
    const { scrollWidth } = document.documentElement;
    if (scrollWidth <= innerWidth) return [];
    const reaches = (part) => Math.round(part.getBoundingClientRect().right) >= scrollWidth;
    const ends = [...document.querySelectorAll("body *")].filter(reaches).at(-1);
    return [`${scrollWidth - innerWidth} px over the edge: ${ends?.outerHTML.slice(0, 150)}`];
}"""
# What is too small for a finger, of what is pressed: a label is touched for its field, and a hit area may be unseen.
SMALL = """() => {
    const found = [];
    const fields = "input:not([type=hidden]), select, textarea";
    const pressed = `button, ${fields}, summary, .btn, .chip, [role=button], [role=tab]`;
    for (const part of document.querySelectorAll(pressed)) {
        if (!part.checkVisibility({ visibilityProperty: true }) || part.closest(".vh")) continue;
        if (getComputedStyle(part).pointerEvents === "none") continue; // what it lies over is pressed
        const boxes = [part, ...(part.labels ?? [])].map((one) => one.getBoundingClientRect());
        const looks = ["::before", "::after"].map((one) => getComputedStyle(part, one));
        const areas = looks.filter((look) => look.position === "absolute");
        const most = (side) =>
            Math.max(...boxes.map((box) => box[side]), ...areas.map((look) => parseFloat(look[side]) || 0));
        const [width, height] = [most("width"), most("height")];
        if (width >= 43.5 && height >= 43.5) continue;
        found.push(`${Math.round(width)} by ${Math.round(height)} px to touch: ${part.outerHTML.slice(0, 150)}`);
    }
    return found;
}"""
# A report is paper in either.
THEME = """(theme) => {
    if (!document.querySelector(".paper")) document.documentElement.dataset.theme = theme;
}"""


def test_no_page_violates_the_rules_of_accessibility(
    plant: Plant, chromium: Browser, opened: Opened, press: str
) -> None:
    plant.send({f"{press}/temp": 97.4})
    list_with(opened, press)  # the facts name it
    plant.stack.script(MORE)
    facts = json.loads(plant.stack.script(FACTS.format(user="edda")).splitlines()[-1])
    options = {"locale": "de-DE", "reduced_motion": "reduce", "service_workers": "block"}
    inside, outside = (
        chromium.new_context(base_url=plant.stack.url, viewport=DESK, **options).new_page() for _ in range(2)
    )
    inside.set_default_timeout(90_000)  # the workbench tries thousands of settings
    inside.goto(facts["link"])
    inside.get_by_role("button", name="Anmelden").click()
    inside.wait_for_load_state()
    found: list[str] = []
    for page in (inside, outside):
        page.on("pageerror", lambda error: found.append(str(error)))
        # What a page's own policy forbids, Chromium says on the console.
        page.on("console", lambda said: found.append(said.text) if "Content Security Policy" in said.text else None)
    inside.route("**/healthz", lambda route: route.abort())  # else the page without a server reads itself anew
    outside.route("**/healthz", lambda route: route.abort())
    for shown in sorted(SHOWN, key=lambda one: one.file == "playback"):  # last: its moment is past by then
        address = there(shown, facts)
        assert address, f"The plant lacks what {shown.file} shows"
        page = inside if shown.signed_in else outside
        density = {"name": "density", "value": "wall" if shown.wall else "", "url": plant.stack.url}
        page.context.add_cookies([density])  # type: ignore[list-item]  # a cookie, as the library reads one
        page.goto(address)
        assert "?at=" not in address or "at=" in page.url, "its moment is still to come"
        if "?at=" not in address and page.locator("#live-word").count():  # the past needs no connection
            page.locator("#live-word", has_text="Live").wait_for(state="attached")
        if shown.file == "alarms-detail":
            page.locator("#draw h2").wait_for()
        assert (page.locator("html").get_attribute("data-density") == "wall") == shown.wall, address
        for theme in ("dark", "light"):
            page.evaluate(THEME, theme)
            found += [f"{address}, {theme}: {words}" for words in violations(page)]
        if not shown.wall:  # a wall is no phone
            page.set_viewport_size(PHONE)
            fingers = page.context.new_cdp_session(page)
            fingers.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
            said = page.evaluate(OVER) + page.evaluate(SMALL) + violations(page)
            found += [f"{address}, on a phone: {words}" for words in said]
            fingers.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
            fingers.detach()
            page.set_viewport_size(DESK)
        assert page.evaluate("document.documentElement.lang") == "de", address
    for page in (inside, outside):
        page.context.close()
    assert found == [], "\n".join(found)
