"""What axe-core finds on a page: the same rules for every test that asks."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

SOURCE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
LOOK = """async (where) => {
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await axe.run(where ?? document, { runOnly, resultTypes: ["violations"] });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}, ${help}: ${html.slice(0, 99)}`));
}"""


def violations(page: Page, where: object = None) -> list[str]:
    """Gives what a page as it stands violates, one line for each place.

    Takes: the part of it that is looked at, as axe takes a context; the whole page without one.
    """
    if not page.evaluate("'axe' in window"):  # once for a page, in whichever themes it is looked at
        page.evaluate(SOURCE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(LOOK, where)
    return found
