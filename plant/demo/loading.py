"""Brings the demo plant into an empty database, and its tokens to the feed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from plant.demo.layout import FILE, read

TOKENS, PROGRESS = "demo-tokens.json", "demo-feed.json"
_FED_BY_WORKER = "demo-fed-by-worker"  # where somebody asked for the demo in the page
_SAID = "andon:demo-loading"  # what the page that asked for the demo is to say
_SAID_FOR = 600  # seconds


def load() -> None:
    """Imports the demo's plant.yaml as anybody's, its people, drawings and map; tokens go to a file of the feed's."""
    from django.conf import settings
    from django.db import transaction
    from django.utils import timezone

    from devices import configuration, services
    from devices.models import Source
    from plant.demo import drawings, ground, people

    with transaction.atomic():
        configuration.load(FILE.read_text(encoding="utf-8"), reason="the demo plant")
        people.bring(now=timezone.now())
        drawings.bring()
        ground.bring()
        names = [name for name, _ in read().sources]
        tokens = {source.name: services.rotate_token(source=source) for source in Source.objects.filter(name__in=names)}
    folder: Path = settings.VAR_DIR
    # What the feed knows of an earlier database counts no more.
    (folder / PROGRESS).unlink(missing_ok=True)
    write_privately(folder / TOKENS, json.dumps(tokens, indent=1))


def is_loaded() -> bool:
    """Gives whether the demo's sources are here and the feed has their tokens."""
    from django.conf import settings

    from devices.models import Source

    try:
        tokens = json.loads((settings.VAR_DIR / TOKENS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return Source.objects.filter(name__in=list(tokens)).exists()


def feed_by_worker() -> None:
    """Notes that a worker is to see to the feed: the demo was asked for where no supervisor runs it."""
    from django.conf import settings

    (settings.VAR_DIR / _FED_BY_WORKER).touch()


def is_fed_by_worker() -> bool:
    """Tells whether a worker is to see to the feed. Cost: nothing where it is not; else one query."""
    from django.conf import settings

    return (settings.VAR_DIR / _FED_BY_WORKER).exists() and is_loaded()


def say(client: Any, words: str) -> None:
    """Notes how the loading goes, for the page that asked for it; nothing when it is done."""
    if words:
        client.set(_SAID, words[:300], ex=_SAID_FOR)
    else:
        client.delete(_SAID)


def said(client: Any) -> str:
    """Gives what was noted last."""
    found = client.get(_SAID)
    return found.decode() if found else ""


def write_privately(path: Path, text: str) -> None:
    """Writes a file that nobody else may read, whole or not at all."""
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
