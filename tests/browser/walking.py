"""How journeys begin on the pages that many of them walk: where a machine's page is, a list, a row of it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.browser.conftest import until

Opened = Callable[..., Page]  # what the fixture `opened` gives

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def machine_page(code: str) -> str:
    return f"/a/hall/line-1/{code}/"


def row(page: Page, code: str, message: str = "Temperature high") -> Locator:
    """Gives the list's row of a machine's alarm."""
    return page.locator("tr[data-alarm]", has_text=code).filter(has_text=message)


def list_with(opened: Opened, code: str, *, rows: int = 1, **options: object) -> Page:
    """Opens the list narrowed to a machine, once its alarms are there."""
    page = opened(f"/alarms/?q={code}", **options)
    until(page, page.reload, lambda: page.locator("tr[data-alarm]").count() >= rows)
    return page
