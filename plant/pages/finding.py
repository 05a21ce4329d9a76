"""Find: one list over machines, sensors, alarms and pages, the nearest match first."""

from __future__ import annotations

from typing import TypedDict

from django.urls import NoReverseMatch, reverse

from alerts.models import Alarm
from plant.pages.tree import Tree

MOST = 12
_MOST_OF_A_KIND = 6


class Found(TypedDict):
    """One line of the list."""

    kind: str
    icon: str
    title: str
    detail: str
    url: str


def find(text: str, plant: Tree, pages: list[tuple[str, str, str]]) -> list[Found]:
    """Gives what all words of `text` lead to.

    Takes: pages as title, icon and address.
    Cost: at most one query, by primary key; names are looked through in memory.
    """
    words = text.lower().split()
    if not words:
        return []
    found = _alarm(words) + _assets(words, plant) + _sensors(words, plant)
    found += [
        Found(kind="page", icon=icon, title=title, detail="", url=url)
        for title, icon, url in pages
        if all(word in title.lower() for word in words)
    ]
    return found[:MOST]


def _alarm(words: list[str]) -> list[Found]:
    number = words[0].removeprefix("#")
    if len(words) > 1 or not number.isdecimal() or len(number) > 18:
        return []
    alarm = Alarm.objects.filter(pk=int(number)).first()
    if alarm is None:
        return []
    try:
        url = reverse("alarm", args=[alarm.pk])
    except NoReverseMatch:
        url = reverse("alarms")
    return [
        Found(kind="alarm", icon="alarms", title=f"#{alarm.pk}", detail=f"{alarm.asset_code} {alarm.message}", url=url)
    ]


def _rank(words: list[str], code: str, rest: str) -> int | None:
    """Gives how near a match is, 0 the nearest, or None."""
    whole = f"{code} {rest}"
    if not all(word in whole for word in words):
        return None
    first = words[0]
    if code == first:
        return 0
    if code.startswith(first):
        return 1
    return 2 if f" {first}" in whole else 3


def _assets(words: list[str], plant: Tree) -> list[Found]:
    ranked = [
        (rank, place, node)
        for place, node in enumerate(plant.nodes.values())
        if (rank := _rank(words, node.code.lower(), f"{node.name.lower()} {node.type_name.lower()}")) is not None
    ]
    return [
        Found(
            kind=node.level,
            icon="area",
            title=node.code,
            detail=", ".join(filter(None, (node.name, node.place))),
            url=node.url,
        )
        for _rank_, _place, node in sorted(ranked, key=lambda row: row[:2])[:_MOST_OF_A_KIND]
    ]


def _sensors(words: list[str], plant: Tree) -> list[Found]:
    ranked = []
    for place, sensor in enumerate(plant.sensors):
        node = plant.nodes[sensor.asset]
        rank = _rank(words, sensor.key.lower(), f"{node.code.lower()}/{sensor.key.lower()} {sensor.name.lower()}")
        if rank is not None:
            ranked.append((rank, place, node, sensor))
    return [
        Found(
            kind="sensor",
            icon="trends",
            title=f"{node.code}/{sensor.key}",
            detail=", ".join(filter(None, (sensor.name, node.name))),
            url=f"{node.url}#sensor-{sensor.key}",
        )
        for _rank_, _place, node, sensor in sorted(ranked, key=lambda row: row[:2])[:_MOST_OF_A_KIND]
    ]
