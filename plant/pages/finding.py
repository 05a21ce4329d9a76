"""Find: one list over assets, sensors, alarms, rules, drawings, people and pages; each kind together, nearest first.

Names of the plant and of its rules are looked through in memory, as one long text for each kind: at 50,000 sensors an
answer takes some milliseconds. What changes by the minute, alarms and people, is asked of the database. A list shows
the first few of each kind, and says how many there are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

from django.contrib.auth.models import User
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from alerts.models import Alarm, Rule, TypeRule
from alerts.models.calling import RotaTurn
from devices.models import Revision
from plant.models import Synoptic
from plant.pages.tree import Node, SensorRow, Tree

MOST = 12
_MOST_OF_A_KIND = 6
_LONGEST = 100  # characters of the words
_MOST_WORDS = 6
_LOOKED_AT = 2_000  # lines that begin as wanted, before the rest is looked through
_COUNTED = 500  # lines that are counted; beyond them there are "more than" so many
_COUNTED_IN = 20_000  # lines that are looked at for that
_OPEN_ALARMS = 2_000
_PEOPLE = 24

_END = "\x1f"  # of what a thing is called, in its line of the text

# How near a match is.
EXACT, BEGINS, WORD, INSIDE = range(4)


class Found(TypedDict):
    """One line of the list."""

    kind: str
    group: str  # the heading above it
    icon: str
    title: str
    detail: str
    url: str


class Match(NamedTuple):
    """A line with how near it is."""

    rank: int
    found: Found


class Count(NamedTuple):
    """How many there are of a kind."""

    number: int
    open: bool = False  # there are more than that


class Group(NamedTuple):
    """The nearest few of a kind, and how many there are."""

    matches: list[Match]
    whole: Count


class Answer(NamedTuple):
    """The list, and how many there are under each of its headings."""

    items: list[Found]
    counts: dict[str, Count]


class Index:
    """Many names as one text, so that looking through them is the work of C and not of Python."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """Takes what a thing is called by, and further words for it."""
        lines = [f"{code}{_END} {rest}".replace("\n", " ").casefold() for code, rest in names]
        self.text = "\n" + "".join(f"{line}\n" for line in lines)
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def find(self, words: Sequence[str], most: int = _MOST_OF_A_KIND) -> list[tuple[int, int]]:
        """Gives (rank, number of the line) of what holds all words, the nearest first, then in the given order.

        Takes: words in lower case.
        Cost: one pass in C for what the first word begins, one over all lines that hold the rarest word.
        """
        found: dict[int, int] = {}
        first = words[0]
        self._scan(f"\n{' '.join(words)}{_END}", words, EXACT, most, found, _LOOKED_AT)
        self._scan(f"\n{first}{_END}", words, EXACT, most, found, _LOOKED_AT)
        self._scan(f"\n{first}", words, BEGINS, most, found, _LOOKED_AT)
        self._scan(f" {first}", words, WORD, most, found, _LOOKED_AT)
        rarest = min(words, key=self.text.count) if len(words) > 1 else first
        self._scan(rarest, words, INSIDE, most, found, len(self._starts))
        return sorted((rank, line) for line, rank in found.items())

    def count(self, words: Sequence[str], found: int) -> Count:
        """Gives how many lines hold all words.

        Takes: words in lower case; how many `find` gave of them, which is all there are where it gave few.
        Cost: one pass in C over the lines that hold the rarest word, of some thousand of them at most.
        """
        if found < _MOST_OF_A_KIND:
            return Count(found)
        text, starts = self.text, self._starts
        rarest = min(words, key=text.count) if len(words) > 1 else words[0]
        at = number = 0
        for _looked in range(_COUNTED_IN):
            at = text.find(rarest, at)
            if at < 0:
                return Count(number)
            line = bisect_right(starts, at) - 1
            begin, at = starts[line], starts[line + 1]
            if all(text.find(word, begin, at) >= 0 for word in words):
                if number == _COUNTED:
                    break
                number += 1
        return Count(max(number, found), open=True)

    def _scan(
        self, pattern: str, words: Sequence[str], rank: int, most: int, found: dict[int, int], looked: int
    ) -> None:
        """Adds the lines in which a pattern stands and all words do, until there are enough of them."""
        text, starts = self.text, self._starts
        at = 0
        while len(found) < most and looked > 0:
            at = text.find(pattern, at)
            if at < 0:
                return
            # A line begins with the end of the one before it.
            line = bisect_right(starts, at) - 1
            begin, end = starts[line], starts[line + 1]
            at, looked = end, looked - 1
            if line not in found and all(text.find(word, begin, end) >= 0 for word in words):
                found[line] = rank


@dataclass(frozen=True, slots=True)
class _Plant:
    """The plant's names, read once for each revision of its model."""

    tree: Tree
    nodes: list[Node]
    sensors: list[SensorRow]
    by_node: Index
    by_sensor: Index


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules' names, read once for each revision of the rules."""

    revision: int
    rows: list[tuple[str, int, str, str]]  # kind, number, name, of what
    by_rule: Index


_plant: _Plant | None = None
_rules: _Rules | None = None


def _names_of(plant: Tree) -> _Plant:
    global _plant
    if _plant is None or _plant.tree is not plant:
        nodes = list(plant.nodes.values())
        code = {node.pk: node.code for node in nodes}
        _plant = _Plant(
            plant,
            nodes,
            plant.sensors,
            Index((node.code, f"{node.name} {node.type_name}") for node in nodes),
            Index((sensor.key, f"{code[sensor.asset]}/{sensor.key} {sensor.name}") for sensor in plant.sensors),
        )
    return _plant


def _names_of_rules() -> _Rules:
    """Gives the rules' names: of types, and of assets where they are the asset's own. Cost: one query, or three."""
    global _rules
    revision = Revision.objects.filter(name="rules").values_list("number", flat=True).first() or 0
    if _rules is None or _rules.revision != revision:
        of_types = TypeRule.objects.order_by("type__code", "pk").values_list("pk", "name", "type__name")
        own = Rule.objects.filter(origin=None).order_by("asset__code", "pk").values_list("pk", "name", "asset__code")
        rows = [("type-rule", *row) for row in of_types] + [("rule", *row) for row in own]
        _rules = _Rules(revision, rows, Index((name, of) for _kind, _pk, name, of in rows))
    return _rules


def find(text: str, plant: Tree, pages: list[tuple[str, str, str]], viewer: User) -> Answer:
    """Gives what all words of `text` lead to, as far as the viewer may open it, and how many there are of each kind.

    Takes: pages as title, icon and address.
    Cost: six queries at most for any size of the plant, three more after a change of the rules.
    """
    words = text[:_LONGEST].casefold().split()[:_MOST_WORDS]
    if not words:
        return Answer([], {})
    kinds = [
        _assets(words, plant),
        _sensors(words, plant),
        _alarms(words),
        _rule_matches(words),
        _drawings(words),
        _people(words, viewer),
        _pages(words, pages),
    ]
    # The kind with the nearest match comes first; none takes the room of the others.
    groups = sorted((group for group in kinds if group.matches), key=lambda group: group.matches[0].rank)
    room = dict.fromkeys(range(len(groups)), 0)
    for _round in range(_MOST_OF_A_KIND):
        for place, group in enumerate(groups):
            if room[place] < len(group.matches) and sum(room.values()) < MOST:
                room[place] += 1
    return Answer(
        [match.found for place, group in enumerate(groups) for match in group.matches[: room[place]]],
        {group.matches[0].found["group"]: group.whole for group in groups},
    )


def _rank(words: list[str], code: str, rest: str = "") -> int | None:
    """Gives how near a match is, or None."""
    code, whole = code.casefold(), f"{code} {rest}".casefold()
    if not all(word in whole for word in words):
        return None
    first = words[0]
    if code == first or code == " ".join(words):
        return EXACT
    if code.startswith(first):
        return BEGINS
    return WORD if f" {first}" in whole else INSIDE


def _nearest(matches: Iterable[Match | None], count: Count | None = None) -> Group:
    """Gives the nearest few of a kind, equals in the given order; without a count these are all there are."""
    found = sorted((match for match in matches if match), key=lambda match: match.rank)
    return Group(found[:_MOST_OF_A_KIND], count or Count(len(found)))


def _match(rank: int | None, kind: str, group: str, icon: str, title: str, detail: str, url: str) -> Match | None:
    if rank is None:
        return None
    return Match(rank, Found(kind=kind, group=group, icon=icon, title=title, detail=detail, url=url))


# --- Plant and rules -------------------------------------------------------------------------------------------------


def _assets(words: list[str], plant: Tree) -> Group:
    known = _names_of(plant)
    found = known.by_node.find(words)
    rows = ((rank, known.nodes[line]) for rank, line in found)
    matches = (
        _match(
            rank,
            node.level,
            _("Assets"),
            "area",
            node.code,
            ", ".join(filter(None, (node.name, node.place))),
            node.url,
        )
        for rank, node in rows
    )
    return _nearest(matches, known.by_node.count(words, len(found)))


def _sensors(words: list[str], plant: Tree) -> Group:
    known = _names_of(plant)
    found = known.by_sensor.find(words)
    sensors = ((rank, known.sensors[line]) for rank, line in found)
    rows = ((rank, sensor, plant.nodes[sensor.asset]) for rank, sensor in sensors)
    matches = (
        _match(
            rank,
            "sensor",
            _("Sensors"),
            "trends",
            f"{node.code}/{sensor.key}",
            ", ".join(filter(None, (sensor.name, node.name))),
            f"{node.url}#sensor-{sensor.key}",
        )
        for rank, sensor, node in rows
    )
    return _nearest(matches, known.by_sensor.count(words, len(found)))


def sensors(words: list[str], plant: Tree, most: int) -> list[tuple[Node, SensorRow]]:
    """Gives the first sensors that all words lead to, each with its asset, the nearest match first. Cost: none."""
    known = _names_of(plant)
    found = [known.sensors[line] for _rank_, line in known.by_sensor.find(words, most)]
    return [(plant.nodes[sensor.asset], sensor) for sensor in found]


def _rule_matches(words: list[str]) -> Group:
    known = _names_of_rules()
    found = known.by_rule.find(words)
    rows = ((rank, known.rows[line]) for rank, line in found)
    matches = (
        _match(rank, "rule", _("Rules"), "rules", name, of, reverse(kind, args=[pk]))
        for rank, (kind, pk, name, of) in rows
    )
    return _nearest(matches, known.by_rule.count(words, len(found)))


def _drawings(words: list[str]) -> Group:
    """Gives the synoptics. Cost: one query."""
    rows = Synoptic.objects.order_by("code").values_list("pk", "code", "name", "asset__name")
    return _nearest(
        _match(
            _rank(words, name, f"{code} {asset}"),
            "synoptic",
            _("Synoptics"),
            "synoptic",
            name,
            asset,
            reverse("synoptic", args=[pk]),
        )
        for pk, code, name, asset in rows
    )


# --- Alarms, people, pages -------------------------------------------------------------------------------------------


def _alarms(words: list[str]) -> Group:
    """Gives the alarm of a number, open or over, and open alarms by their text. Cost: two queries at most."""
    columns = ("pk", "asset_code", "message")
    rows: list[tuple[int | None, Any]] = []
    cut = False
    number = words[0].removeprefix("#")
    if len(words) == 1 and number.isdecimal() and len(number) <= 18:
        rows += [(EXACT, row) for row in Alarm.objects.filter(pk=int(number)).values_list(*columns)]
    if not words[0].startswith("#"):
        named = {row[0] for _rank_, row in rows}
        standing = Alarm.objects.filter(closed=None).order_by("priority", "-raised", "-pk")
        found = list(standing.values_list(*columns)[:_OPEN_ALARMS])
        cut = len(found) == _OPEN_ALARMS
        rows += [(_rank(words, row[1], row[2]), row) for row in found if row[0] not in named]
    matches = [
        _match(
            rank, "alarm", _("Alarms"), "alarms", f"#{pk}", f"{asset} {message}".strip(), reverse("alarm", args=[pk])
        )
        for rank, (pk, asset, message) in rows
    ]
    return _nearest(matches, Count(sum(match is not None for match in matches), open=cut))


def _people(words: list[str], viewer: User) -> Group:
    """Gives those of whom there is a page that the viewer may open: oneself, who is on a rota, everybody for staff.

    Cost: two queries.
    """
    wanted = User.objects.filter(is_active=True)
    for word in words:
        wanted = wanted.filter(
            Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
        )
    people = list(wanted.order_by("last_name", "first_name", "username")[:_PEOPLE])
    if not people:
        return _nearest([])
    turns = RotaTurn.objects.filter(user__in=people).order_by("layer__rota__name", "pk")
    rotas: dict[int, tuple[str, str]] = {}
    for user, code, name in turns.values_list("user", "layer__rota__code", "layer__rota__name"):
        rotas.setdefault(user, (code, name))
    staff = viewer.is_staff and viewer.has_perm("auth.view_user")
    found = []
    for person in people:
        code, rota = rotas.get(person.pk, ("", ""))
        if person.pk == viewer.pk:
            url = reverse("subscriptions")
        elif code:
            url = reverse("rota", args=[code])
        elif staff:
            url = reverse("admin:auth_user_change", args=[person.pk])
        else:
            continue
        name = person.get_full_name() or person.get_username()
        detail = ", ".join(filter(None, (person.get_username() if name != person.get_username() else "", rota)))
        rank = _rank(words, name, person.get_username())
        found.append(_match(INSIDE if rank is None else rank, "person", _("People"), "user", name, detail, url))
    return _nearest(found, Count(len(found), open=len(people) == _PEOPLE))


def _pages(words: list[str], pages: list[tuple[str, str, str]]) -> Group:
    return _nearest(_match(_rank(words, title), "page", _("Pages"), icon, title, "", url) for title, icon, url in pages)
