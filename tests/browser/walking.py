"""How journeys begin on the pages that many of them walk: where a machine's page is, a list, a row of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.browser.conftest import until

Opened = Callable[..., Page]  # what the fixture `opened` gives

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

SHELVE_ALL = """async () => {
  const token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
  const alarms = [...document.querySelectorAll("tr[data-alarm]")].map((row) => ["alarm", row.dataset.alarm]);
  const answer = await fetch("/alarms/shelve", {
    method: "POST",
    headers: { "X-CSRFToken": token, "X-Requested-With": "fetch" },
    body: new URLSearchParams([...alarms, ["minutes", "60"], ["reason", "Work on the oil"]]),
  });
  if (!answer.ok) throw new Error(String(answer.status));
}"""


def wait_for_live(page: Page) -> None:
    """Waits for the first snapshot, which a page that was read anew has yet to hear."""
    page.locator("#live-word", has_text="Live").wait_for(state="attached")


def machine_page(code: str) -> str:
    return f"/a/hall/line-1/{code}/"


def row(page: Page, code: str, message: str = "Temperature high") -> Locator:
    """Gives the list's row of a machine's alarm."""
    return page.locator("tr[data-alarm]", has_text=code).filter(has_text=message)


def list_with(opened: Opened, code: str, *, rows: int = 1, live: bool = True, **options: object) -> Page:
    """Opens the list narrowed to a machine, once its alarms are there."""
    page = opened(f"/alarms/?q={code}", live=live, **options)
    until(page, page.reload, lambda: page.locator("tr[data-alarm]").count() >= rows)
    if live:
        wait_for_live(page)
    return page


def place_of(element: Locator) -> tuple[float, float]:
    """Gives where an element is on the screen."""
    box = element.bounding_box()
    assert box is not None
    return box["x"], box["y"]


def leave(page: Page) -> None:
    """Moves the pointer to where nothing is."""
    page.mouse.move(2, 2)


class Wire:
    """A page's way to the server, which can be cut: the page notices at once, and comes back once it is whole."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._whole = True
        self._open: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("/ws/live"), self._connect)
        page.reload()
        wait_for_live(page)

    def _connect(self, socket: WebSocketRoute) -> None:
        if not self._whole:
            return socket.close()
        socket.connect_to_server()
        return self._open.append(socket)

    def tell(self, frame: dict[str, object]) -> None:
        """Says something to the page as the server would."""
        self._open[-1].send(json.dumps(frame))

    def cut(self) -> None:
        self._whole = False
        for socket in self._open:
            socket.close()
        self._open.clear()
        expect(self.page.locator("#not-live")).to_be_visible()

    def mend(self) -> None:
        self._whole = True
        expect(self.page.locator("#not-live")).to_be_hidden()
