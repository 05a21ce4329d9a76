"""Draws the icons of the installed app from static/img/andon.svg: python -m tests.gallery.icons."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from plant.supervisor.check import CHROMIUM
from plant.supervisor.install import ROOT

IMAGES = ROOT / "static" / "img"
# File, edge in pixels, and how much of the edge the sign takes: a mask may cut off all outside a circle of 80 %.
ICONS = (
    ("andon-180.png", 180, 0.68),
    ("andon-192.png", 192, 0.76),
    ("andon-512.png", 512, 0.76),
    ("andon-maskable-192.png", 192, 0.56),
    ("andon-maskable-512.png", 512, 0.56),
)
COLOURS = 48


def pack(path: Path) -> None:
    """Writes a picture anew with a palette: to the eye the same, in a third of the bytes."""
    with Image.open(path) as read:
        packed = read.convert("RGB").quantize(COLOURS)
    packed.save(path, optimize=True)


def main() -> None:
    """Writes every icon."""
    sign = (IMAGES / "andon.svg").read_text()
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(color_scheme="dark")
        for name, edge, part in ICONS:
            page.set_viewport_size({"width": edge, "height": edge})
            page.set_content(
                f"<style>body{{margin:0;height:100vh;display:grid;place-items:center;background:#111315}}"
                f"svg{{width:{part * 100}vw}}</style>{sign}"
            )
            page.screenshot(path=IMAGES / name)
            pack(IMAGES / name)
        browser.close()


if __name__ == "__main__":
    main()
